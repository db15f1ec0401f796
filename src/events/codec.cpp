#include "events/codec.hpp"

namespace ekiden::events {

Error not_this_event(const delivery::Envelope& envelope, std::string_view type) {
  return {Errc::invalid, "not-this-event", "the event is a " + envelope.type + ", not a " + std::string(type),
          "ce_type"};
}

Error unknown_schema(const delivery::Envelope& envelope) {
  return {Errc::unsupported, "unknown-schema",
          envelope.type + " of schema " + std::to_string(envelope.schema) + " needs a newer program",
          "ce_schema"};
}

Error wrong_key(std::string_view field) {
  return {Errc::malformed, "wrong-key", "the attribute differs from what the data says", std::string(field)};
}

}  // namespace ekiden::events
