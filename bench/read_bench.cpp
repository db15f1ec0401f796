// How long one GPX file takes to be read: parsed alone, and with all figures computed. Milliseconds by the
// clock, the median of many. usage: read_bench FILE [TIMES]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "services/workout/activity/figures/figures.hpp"
#include "services/workout/activity/gpx/gpx.hpp"

namespace {

using namespace ekiden;

template <class Work>
double median_ms(const Clock& clock, int times, const Work& work) {
  std::vector<double> taken_ms;
  for (int i = 0; i < times; ++i) {
    const Instant begun = clock.monotonic();
    if (!work()) return -1;
    taken_ms.push_back(std::chrono::duration<double, std::milli>(clock.monotonic() - begun).count());
  }
  std::ranges::sort(taken_ms);
  return taken_ms[taken_ms.size() / 2];
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fputs("usage: read_bench FILE [TIMES]\n", stderr);
    return 2;
  }
  std::ifstream file(arguments[1], std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  const int times = count > 2 ? std::max(1, std::atoi(arguments[2])) : 100;
  const SystemClock clock;
  const auto now = std::chrono::floor<std::chrono::seconds>(clock.now());
  const double parse_ms = median_ms(clock, times, [&] {
    const auto read = activity::parse_gpx(bytes, {});
    return read && !read->front().samples.time_ms.empty();
  });
  const double figures_ms = median_ms(clock, times, [&] {
    const auto read = activity::parse_gpx(bytes, {});
    return read && activity::compute_figures(read->front(), {}, now).distance_m > 0;
  });
  std::printf("%.4f %.4f\n", parse_ms, figures_ms);
  return parse_ms < 0 || figures_ms < 0 ? 1 : 0;
}
