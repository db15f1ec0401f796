#include "runtime/job_policy.hpp"

#include <algorithm>

#include "runtime/job_queue.hpp"

namespace ekiden::runtime {

using std::chrono::microseconds;

JobVerdict after_failure(const Error& error, int attempt, const JobPolicy& policy, Timestamp now,
                         std::uint64_t jitter) {
  if (error.slug() == kJobTakenOver) return {JobNext::drop, {}};
  const bool may_pass = is_retryable(error.code()) || error.code() == Errc::internal;
  if (!may_pass || attempt >= policy.attempts_max) return {JobNext::dead, {}};
  microseconds bound = policy.first_delay;
  for (int i = 1; i < attempt && bound < policy.delay_max; ++i) bound *= 2;
  bound = std::min<microseconds>(bound, policy.delay_max);
  const auto share = static_cast<std::int64_t>(jitter % 1024);
  return {JobNext::retry, now + bound / 2 + bound * share / 2048};
}

microseconds rest(Timestamp now, std::optional<Timestamp> next_due, std::optional<Timestamp> renew_at,
                  std::chrono::milliseconds poll) {
  microseconds wait = poll;
  for (const auto& at : {next_due, renew_at}) {
    if (at) wait = std::min(wait, std::max(microseconds{0}, *at - now));
  }
  return wait;
}

}  // namespace ekiden::runtime
