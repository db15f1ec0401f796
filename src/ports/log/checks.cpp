#include "ports/log/checks.hpp"

#include <algorithm>

namespace ekiden::log {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

// Kafka carries header names as C strings, so nothing that would end or blur one.
bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
}

Error invalid(std::string slug, std::string text, std::string field) {
  return Error{Errc::invalid, std::move(slug), std::move(text), std::move(field)};
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && std::ranges::all_of(name, is_name_character);
}

Result<void> check(const Message& message) {
  if (message.key.size() > kKeyBytesMax) {
    return invalid("record-too-large", "a key has at most 4096 bytes", "key");
  }
  if (message.value.size() > kValueBytesMax) {
    return invalid("record-too-large", "a value has at most 1 MiB", "value");
  }
  if (message.headers.size() > kHeadersMax) {
    return invalid("record-too-large", "a message has at most 64 headers", "headers");
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : message.headers) {
    if (!is_header_name(name)) return invalid("bad-header", "a header's name is visible ASCII", "headers");
    bytes += name.size() + value.size();
  }
  if (bytes > kHeaderBytesMax) {
    return invalid("record-too-large", "headers have at most 8 KiB together", "headers");
  }
  return {};
}

Result<void> check(const TopicConfig& topic) {
  if (!is_valid_name(topic.name)) {
    return invalid("bad-name", "a topic's name is 1 to 100 of [a-z0-9._-]", "name");
  }
  if (topic.partitions < 1 || topic.partitions > kPartitionsMax) {
    return invalid("bad-partitions", "a topic has 1 to 1024 partitions", "partitions");
  }
  if (topic.retention < std::chrono::hours{1}) {
    return invalid("bad-retention", "records are kept for at least an hour", "retention");
  }
  return {};
}

Result<void> check(const ConsumerConfig& config) {
  if (!is_valid_name(config.group)) {
    return invalid("bad-name", "a group's name is 1 to 100 of [a-z0-9._-]", "group");
  }
  if (!config.member.empty() && !is_valid_name(config.member)) {
    return invalid("bad-name", "a member's name is 1 to 100 of [a-z0-9._-]", "member");
  }
  if (config.topics.empty()) return invalid("no-topics", "a consumer reads at least one topic", "topics");
  if (config.session_timeout <= std::chrono::milliseconds::zero()) {
    return invalid("bad-timeout", "a session lasts longer than nothing", "session_timeout");
  }
  return {};
}

}  // namespace ekiden::log
