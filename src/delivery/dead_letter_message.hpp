#pragma once

#include <cstdint>
#include <string>

#include "delivery/outbox.hpp"
#include "delivery/runner_types.hpp"

namespace ekiden::delivery {

/// How an event ended.
struct Death {
  std::string group;
  Error error;
  int attempts = 1;
  std::int64_t deaths = 1;  ///< counts replays that failed again
  Timestamp at;
};

inline constexpr std::size_t kDeadLetterDataMax = kDataBytesMax;

/// The outbox row of a dead letter: to `<topic>.dlq`, under the event's own key, with its own headers and
/// data, and what is known of the death. The same death makes the same id.
OutboxRow dead_letter(const Arrived& arrived, const Death& death);

/// `workouts.dlq`
std::string dead_letter_topic(std::string_view topic);

}  // namespace ekiden::delivery
