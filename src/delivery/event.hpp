#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "ports/log/log.hpp"

namespace ekiden::delivery {

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
};

/// @errors malformed: a required attribute is missing or not of its form; `field` names it.
Result<Envelope> decode(const log::Record& record);
log::Message encode(const Envelope& envelope, std::string_view topic);

}  // namespace ekiden::delivery
