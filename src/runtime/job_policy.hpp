#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace ekiden::runtime {

/// How often a job is tried, and how long it waits in between.
struct JobPolicy {
  int attempts_max = 8;
  std::chrono::milliseconds first_delay{500};
  std::chrono::milliseconds delay_max{300'000};
};

enum class JobNext : std::uint8_t {
  retry,
  dead,
  drop,  ///< another runner has the job: its end is not ours to write
};

struct JobVerdict {
  JobNext next = JobNext::retry;
  Timestamp due_at{};  ///< of a retry
};

/// What becomes of an attempt that failed. Errors that can pass (`is_retryable`) and bugs (`internal`) are
/// tried again until the attempts are used up; any other would fail the same way.
/// @param attempt from 1.   @param jitter 0 to 1023: the wait is between half and the whole of its bound,
/// which doubles
///                with each attempt.
JobVerdict after_failure(const Error& error, int attempt, const JobPolicy& policy, Timestamp now,
                         std::uint64_t jitter);

/// How long a runner may rest: until the next job is due or a lease must be renewed, and never beyond `poll`,
/// as other processes make jobs too.
std::chrono::microseconds rest(Timestamp now, std::optional<Timestamp> next_due,
                               std::optional<Timestamp> renew_at, std::chrono::milliseconds poll);

}  // namespace ekiden::runtime
