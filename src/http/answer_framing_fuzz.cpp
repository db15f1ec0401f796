#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/answer_framing.hpp"

// Whatever a server answers: a head that is taken lies within its bytes and frames its body in one way only.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ekiden::http;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const FramingLimits limits;
  std::size_t searched = 0;
  const auto [head_size, refusal] = find_head(bytes, limits, searched);
  if (refusal || head_size == 0) return 0;
  AnswerView view;
  const std::string_view head = bytes.substr(0, head_size);
  if (parse_answer_head(head, limits, view)) return 0;
  if (view.chunked && view.content_length) std::abort();
  if (view.status < 100 || view.status > 999) std::abort();
  for (const FieldView& field : view.fields()) {
    if (field.name.data() < head.data() || field.name.data() + field.name.size() > head.data() + head.size())
      std::abort();
    if (field.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) std::abort();
  }
  return 0;
}
