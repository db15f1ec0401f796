// Any bytes may come in as a file: the reader answers with activities that hold together or with an error,
// and it does not matter in which pieces they come.

#include <cstdlib>

#include "services/workout/activity/figures/figures.hpp"
#include "services/workout/activity/tcx/tcx.hpp"

namespace activity = ekiden::activity;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto whole = activity::parse_tcx(bytes, {});
  activity::TcxReader reader{{}};
  std::size_t step = 1;
  bool failed = false;
  for (std::string_view rest = bytes; !rest.empty() && !failed; step = step * 3 % 101) {
    failed = !reader.feed(rest.substr(0, step));
    rest.remove_prefix(std::min(rest.size(), step));
  }
  const bool read = !failed && reader.finish().has_value();
  if (read != whole.has_value()) std::abort();
  if (!whole) return 0;
  for (const activity::Activity& each : *whole) {
    const activity::Figures figures = activity::compute_figures(each, {}, std::chrono::sys_seconds{});
    if (figures.moving_ms > figures.timer_ms || figures.timer_ms > figures.elapsed_ms) std::abort();
  }
  return 0;
}
