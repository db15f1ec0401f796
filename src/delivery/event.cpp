#include "delivery/event.hpp"

#include <charconv>
#include <optional>

#include "base/utf8.hpp"
#include "json/document.hpp"

namespace ekiden::delivery {
namespace {

Error bad(std::string_view field, std::string text) {
  return {Errc::malformed, "bad-envelope", std::move(text), std::string(field)};
}

/// One attribute of the record, or the error that names it.
Result<std::string> attribute(const log::Headers& headers, std::string_view name, bool required) {
  const std::string* found = nullptr;
  for (const auto& [key, value] : headers) {
    if (key != name) continue;
    if (found != nullptr) return bad(name, "the attribute is there twice");
    found = &value;
  }
  if (found == nullptr || found->empty()) {
    if (required) return bad(name, "the attribute is missing");
    return std::string();
  }
  if (found->size() > kAttributeBytesMax) return bad(name, "the attribute is longer than 512 bytes");
  if (!is_utf8(*found)) return bad(name, "the attribute is not UTF-8");
  for (const char c : *found) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return bad(name, "the attribute holds a control character");
  }
  return *found;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// A number of the header `name` from `least` on; `fallback` where it is absent.
Result<std::int64_t> number(const log::Headers& headers, std::string_view name, std::int64_t least,
                            std::int64_t most, std::int64_t fallback) {
  EKIDEN_TRY(const std::string text, attribute(headers, name, false));
  if (text.empty()) return fallback;
  const auto value = whole_number(text);
  if (!value || *value < least || *value > most) return bad(name, "the attribute is not a number in range");
  return *value;
}

bool is_type_name(std::string_view type) {
  for (const char c : type) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!allowed) return false;
  }
  return !type.empty();
}

Result<void> check_data(std::string_view data) {
  if (data.size() > kDataBytesMax)
    return Error{Errc::too_large, "event-too-large", "an event carries at most 1 MiB of data", "data"};
  auto parsed = json::Document::parse(data, {.depth_max = 32, .bytes_max = kDataBytesMax});
  if (!parsed) return bad("data", "the data is not JSON: " + parsed.error().text());
  return {};
}

Result<void> check_content_type(const log::Headers& headers) {
  EKIDEN_TRY(const std::string type, attribute(headers, "content-type", true));
  if (type != "application/json" && type != "application/json; charset=utf-8")
    return bad("content-type", "only application/json is spoken here");
  return {};
}

Result<void> read_identity(const log::Headers& headers, Envelope& out) {
  EKIDEN_TRY(const std::string version, attribute(headers, "ce_specversion", true));
  if (version != "1.0") return bad("ce_specversion", "only CloudEvents 1.0 is spoken here");
  EKIDEN_TRY(const std::string id, attribute(headers, "ce_id", true));
  const auto parsed = EventId::parse(id);
  if (!parsed || parsed->is_nil()) return bad("ce_id", "the id is not a UUID");
  out.id = *parsed;
  EKIDEN_TRY(out.source, attribute(headers, "ce_source", true));
  EKIDEN_TRY(out.type, attribute(headers, "ce_type", true));
  if (!is_type_name(out.type)) return bad("ce_type", "a type has only a-z, 0-9, dot, dash and underscore");
  EKIDEN_TRY(out.subject, attribute(headers, "ce_subject", true));
  EKIDEN_TRY(const std::string time, attribute(headers, "ce_time", true));
  const auto at = parse_rfc3339(time);
  if (!at) return bad("ce_time", "the time is not RFC 3339");
  out.time = *at;
  return {};
}

}  // namespace

const std::string* find_header(const log::Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<Envelope> decode(const log::Record& record) {
  Envelope out;
  EKIDEN_CHECK(read_identity(record.headers, out));
  EKIDEN_CHECK(check_content_type(record.headers));
  EKIDEN_TRY(out.partition_key, attribute(record.headers, "ce_partitionkey", true));
  if (out.partition_key != record.key)
    return bad("ce_partitionkey", "the record lies under another key than its event says");
  EKIDEN_TRY(out.traceparent, attribute(record.headers, "ce_traceparent", false));
  EKIDEN_TRY(const std::int64_t schema, number(record.headers, "ce_schema", 1, 1'000'000, 1));
  out.schema = static_cast<std::int32_t>(schema);
  EKIDEN_TRY(out.sequence, number(record.headers, "ce_sequence", 0, INT64_MAX, 0));
  EKIDEN_CHECK(check_data(record.value));
  out.data = record.value;
  return out;
}

log::Message encode(const Envelope& envelope, std::string_view topic) {
  log::Message message{.topic = std::string(topic),
                       .key = envelope.partition_key,
                       .value = envelope.data,
                       .headers = {{"ce_specversion", "1.0"},
                                   {"ce_id", envelope.id.to_string()},
                                   {"ce_source", envelope.source},
                                   {"ce_type", envelope.type},
                                   {"ce_subject", envelope.subject},
                                   {"ce_time", to_rfc3339(envelope.time)},
                                   {"ce_partitionkey", envelope.partition_key},
                                   {"content-type", "application/json"},
                                   {"ce_schema", std::to_string(envelope.schema)}}};
  if (!envelope.traceparent.empty()) message.headers.emplace_back("ce_traceparent", envelope.traceparent);
  if (envelope.sequence != 0) message.headers.emplace_back("ce_sequence", std::to_string(envelope.sequence));
  return message;
}

Result<void> check(const Envelope& envelope) {
  log::Message message = encode(envelope, {});
  const log::Record record{.at = {},
                           .offset = {},
                           .appended_at = {},
                           .key = std::move(message.key),
                           .value = std::move(message.value),
                           .headers = std::move(message.headers)};
  EKIDEN_TRY(const Envelope read, decode(record));
  if (read != envelope) return bad("ce_time", "the event does not survive its own wire form");
  return {};
}

}  // namespace ekiden::delivery
