#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "delivery/runner_types.hpp"
#include "ports/log/log.hpp"

namespace ekiden::delivery {

/// An event that a group gave up, as it lies in `<topic>.dlq`.
struct DeadLetter {
  log::TopicPartition at;  ///< in the dead-letter topic
  log::Offset offset;
  EventId event_id;   ///< as the group's inbox knows it
  std::string group;  ///< that gave it up; others may have applied it
  log::TopicPartition from;
  log::Offset from_offset;
  std::string type;     ///< empty where it could not be read
  std::string subject;  ///< empty where it could not be read
  std::string error_code;
  std::string error_text;
  std::int64_t attempts = 0;
  Timestamp died_at;
  bool is_truncated = false;
  log::Message original;  ///< the record as it was: its topic, key, data and headers
};

enum class ReplayMode : std::uint8_t {
  apply,    ///< tried again, now that its cause is mended
  discard,  ///< given up for good: what waits behind it goes on
};

/// The operator's view of dead letters. Works over the log alone, so also from a process beside the server.
/// @threads any; blocks
class DeadLetters {
 public:
  explicit DeadLetters(log::Log& log) : log_(log) {}

  /// The newest `max` dead letters of `topic` (of `group`, unless it is empty), newest first. One that was
  /// replayed stays listed until the topic's retention passes; one that died again is listed again.
  /// @errors as Log::read; an empty list where the topic has no dead letters.
  Result<std::vector<DeadLetter>> list(std::string_view topic, std::string_view group, std::size_t max);

  /// The newest dead letter of this event in this group.
  /// @errors not_found; else as `list`.
  Result<DeadLetter> show(std::string_view topic, std::string_view group, const EventId& event);

  /// Sends the event to its topic again, under its own id and key. The group it died in takes it up where its
  /// inbox still says `dead`, and then releases what waits behind it; for every other group it is a
  /// duplicate. Twice is as good as once.
  /// @errors invalid `truncated`: the data was too large to keep, it can only be discarded.
  ///         Else as Producer::send; timeout: no answer in time; then replay again.
  Result<void> replay(const DeadLetter& letter, ReplayMode mode,
                      std::chrono::milliseconds timeout = std::chrono::seconds{30});

 private:
  log::Log& log_;
};

}  // namespace ekiden::delivery
