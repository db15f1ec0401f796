#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include "delivery/event.hpp"
#include "json/json.hpp"

namespace ekiden::events {

/// A payload: a described struct with its wire names, and what places it in the log.
template <class T>
concept Event = requires(const T& event) {
  { T::kTopic } -> std::convertible_to<std::string_view>;
  { T::kType } -> std::convertible_to<std::string_view>;
  { T::kSchema } -> std::convertible_to<std::int32_t>;
  { event.subject() } -> std::same_as<std::string>;
  { event.partition_key() } -> std::same_as<std::string>;
  { event.sequence() } -> std::same_as<std::int64_t>;
};

/// @returns invalid, slug `not-this-event`; unsupported, slug `unknown-schema`; malformed, slug `wrong-key`.
Error not_this_event(const delivery::Envelope& envelope, std::string_view type);
Error unknown_schema(const delivery::Envelope& envelope);
Error wrong_key(std::string_view field);

/// The event as the outbox takes it; `id`, `source` and (where it is not given) `time` are the outbox's to
/// fill in. @param traceparent of the request that caused it, or empty.
template <Event T>
delivery::Envelope encode(const T& event, std::string traceparent = {}, Timestamp time = {}) {
  return {.id = {},
          .source = {},
          .type = std::string(T::kType),
          .subject = event.subject(),
          .time = time,
          .partition_key = event.partition_key(),
          .traceparent = std::move(traceparent),
          .schema = T::kSchema,
          .sequence = event.sequence(),
          .data = json::write(event)};
}

/// Reads the payload. Fields that a newer writer has added are passed over.
/// @errors invalid `not-this-event`: it is of another type; unsupported `unknown-schema`: it is of a newer
///         schema than this program knows; malformed, invalid: as json::read, `field` names the member;
///         malformed `wrong-key`: the attributes say something else than the data.
template <Event T>
Result<T> decode(const delivery::Envelope& envelope) {
  if (envelope.type != T::kType) return not_this_event(envelope, T::kType);
  if (envelope.schema > T::kSchema) return unknown_schema(envelope);
  EKIDEN_TRY(T event, json::read<T>(envelope.data, json::Unknown::ignore));
  if (event.subject() != envelope.subject) return wrong_key("ce_subject");
  if (event.partition_key() != envelope.partition_key) return wrong_key("ce_partitionkey");
  if (event.sequence() != envelope.sequence) return wrong_key("ce_sequence");
  return event;
}

}  // namespace ekiden::events
