#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "ports/log/log.hpp"

namespace ekiden::delivery {

/// Bytes of JSON that one event may carry; the log refuses more.
inline constexpr std::size_t kDataBytesMax = std::size_t{1} << 20U;
/// Bytes of an attribute: the log's headers are bounded, and no honest attribute comes near.
inline constexpr std::size_t kAttributeBytesMax = 512;

/// An event on its way, with its CloudEvents 1.0 attributes. In the log the attributes are headers (`ce_id`,
/// …; binary mode), the data is the value. @source github.com/cloudevents/spec, Kafka protocol binding
struct Envelope {
  EventId id;
  std::string source;         ///< `/ekiden/workout`
  std::string type;           ///< `workout.recorded`
  std::string subject;        ///< the aggregate's id
  Timestamp time;             ///< when it happened
  std::string partition_key;  ///< the user's id: one person's events stay in order
  std::string traceparent;    ///< empty where there is no trace
  std::int32_t schema = 1;    ///< version of the data; fields are added, never repurposed
  std::int64_t sequence =
      0;             ///< the aggregate's version that this event tells of (1, 2, 3 …), 0 where there is none
  std::string data;  ///< JSON

  friend bool operator==(const Envelope&, const Envelope&) = default;
};

/// Reads an event from the log. The attributes that this program knows are checked strictly, headers that it
/// does not know are passed over.
/// @errors malformed: an attribute is missing, twice there or not of its form, or the data is not JSON, or
/// the record's key is not the `ce_partitionkey`; `field` names it.
///         too_large: `data` is beyond 1 MiB.
Result<Envelope> decode(const log::Record& record);
log::Message encode(const Envelope& envelope, std::string_view topic);

/// Says whether `encode` would make a record that `decode` accepts. Errors as `decode`.
Result<void> check(const Envelope& envelope);

/// The value of a header, or nullptr. Where a name stands twice the first counts.
const std::string* find_header(const log::Headers& headers, std::string_view name);

}  // namespace ekiden::delivery
