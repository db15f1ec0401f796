// Decodes FIT files and prints MB/s of CPU time, one thread.
//   fit_bench FILE…         five rounds over all files
//   fit_bench --once FILE…  one round, only the number: for bench/fit_compare
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>

#include "services/workout/activity/fit/fit.hpp"

namespace {

constexpr double kRound_s = 0.5;

double cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Decodes all files again and again for half a second. @return MB/s; `points` keeps the work from being
/// dropped.
double round_mbps(const std::vector<std::string>& files, std::size_t& points) {
  const double start_s = cpu_s();
  double spent_s = 0;
  double bytes = 0;
  do {
    for (const std::string& file : files) {
      const auto parsed = ekiden::activity::parse_fit(file);
      bytes += static_cast<double>(file.size());
      if (!parsed) continue;
      for (const auto& activity : *parsed) points += activity.samples.size();
    }
    spent_s = cpu_s() - start_s;
  } while (spent_s < kRound_s);
  return bytes / spent_s / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  const bool once = argc > 1 && std::string_view(argv[1]) == "--once";
  std::vector<std::string> files;
  for (int i = once ? 2 : 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (files.empty()) {
    std::fputs("usage: fit_bench [--once] FILE...\n", stderr);
    return 2;
  }
  std::size_t points = 0;
  for (int round = 0; round < (once ? 1 : 5); ++round) std::printf("%.2f\n", round_mbps(files, points));
  if (points == 0) std::fputs("no file held a point\n", stderr);
  return points == 0 ? 1 : 0;
}
