#include <cstdlib>
#include <string>
#include <vector>

#include "http/multipart.hpp"

namespace {

/// Remembers everything, so that two ways of cutting the same bytes can be compared.
class Recorder final : public ekiden::http::MultipartSink {
 public:
  ekiden::Result<void> on_begin(ekiden::http::PartHead head) override {
    if (head.name.empty()) std::abort();
    if (head.file_name && (head.file_name->empty() || head.file_name->find('/') != std::string::npos))
      std::abort();
    text += "<" + head.name + "|" + head.file_name.value_or("") + "|" + head.content_type + ">";
    return {};
  }
  ekiden::Result<void> on_data(std::string_view data) override {
    text += data;
    return {};
  }
  ekiden::Result<void> on_end() override {
    text += "</>";
    return {};
  }
  std::string text;
};

std::string parse(std::string_view body, std::size_t piece) {
  auto parser = ekiden::http::MultipartParser::make("multipart/form-data; boundary=b");
  if (!parser) std::abort();
  Recorder recorder;
  while (!body.empty()) {
    if (const auto fed = parser->feed(body.substr(0, piece), recorder); !fed) return "error";
    body.remove_prefix(std::min(piece, body.size()));
  }
  return parser->finish() ? recorder.text : "error";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const std::string whole = parse(body, size + 1);
  if (parse(body, 1) != whole || parse(body, 7) != whole) std::abort();
  return 0;
}
