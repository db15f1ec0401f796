#include "ports/limits/gcra.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace ekiden::limits {
namespace {

constexpr std::int64_t kToleranceMaxNs = std::int64_t{1} << 61;

std::chrono::milliseconds round_up(std::int64_t ns) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  return std::chrono::milliseconds{ns / kNsPerMs + (ns % kNsPerMs > 0 ? 1 : 0)};
}

}  // namespace

Gcra make_gcra(const Policy& policy) {
  if (!std::isfinite(policy.rate_per_s) || policy.rate_per_s <= 0 || policy.burst < 1) {
    throw std::invalid_argument("a rate limit needs a rate above 0 and a burst of at least 1");
  }
  const double interval = std::ceil(1e9 / policy.rate_per_s);
  Gcra gcra;
  gcra.interval_ns = interval < static_cast<double>(kToleranceMaxNs)
                         ? std::max(std::int64_t{1}, static_cast<std::int64_t>(interval))
                         : kToleranceMaxNs;
  gcra.burst = std::min(policy.burst, kToleranceMaxNs / gcra.interval_ns);
  return gcra;
}

Step step(std::int64_t tat_ns, std::int64_t now_ns, const Gcra& gcra, std::int64_t cost) {
  // The debt can exceed the tolerance where another thread has decided with a later `now`. It must not be
  // cut: a TAT that goes back would give tokens away.
  const std::int64_t debt_ns = std::max(std::int64_t{0}, tat_ns - now_ns);
  const std::int64_t room_ns = std::max(std::int64_t{0}, gcra.tolerance_ns() - debt_ns);
  const std::int64_t wanted = std::max(std::int64_t{0}, cost);
  Step result;
  result.decision.admitted = wanted <= room_ns / gcra.interval_ns;
  const std::int64_t next_debt_ns = result.decision.admitted ? debt_ns + wanted * gcra.interval_ns : debt_ns;
  result.tat_ns = now_ns + next_debt_ns;
  result.decision.remaining =
      std::max(std::int64_t{0}, gcra.tolerance_ns() - next_debt_ns) / gcra.interval_ns;
  result.decision.reset_after = round_up(next_debt_ns);
  if (!result.decision.admitted) {
    const bool possible = wanted <= gcra.burst;
    result.decision.retry_after =
        round_up(possible ? debt_ns + wanted * gcra.interval_ns - gcra.tolerance_ns() : debt_ns);
  }
  return result;
}

}  // namespace ekiden::limits
