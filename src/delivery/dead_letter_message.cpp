#include "delivery/dead_letter_message.hpp"

#include "base/utf8.hpp"

namespace ekiden::delivery {
namespace {

// The log takes 64 headers of 8 KiB together; the machinery's own need at most a dozen and 1.5 KiB.
constexpr std::size_t kKeptHeadersMax = 48;
constexpr std::size_t kKeptBytesMax = 6144;
constexpr std::size_t kErrorTextMax = 512;

log::Headers kept(const log::Headers& original) {
  log::Headers headers;
  std::size_t bytes = 0;
  for (const auto& [name, value] : original) {
    if (name.starts_with("ekiden_")) continue;
    if (headers.size() == kKeptHeadersMax || bytes + name.size() + value.size() > kKeptBytesMax) continue;
    bytes += name.size() + value.size();
    headers.emplace_back(name, value);
  }
  return headers;
}

std::string shortened(const Error& error) {
  std::string text = error.field().empty() ? error.text() : error.field() + ": " + error.text();
  if (text.size() > kErrorTextMax) text.resize(kErrorTextMax);
  while (!is_utf8(text)) text.pop_back();
  return text;
}

}  // namespace

std::string dead_letter_topic(std::string_view topic) {
  return std::string(topic) + ".dlq";
}

OutboxRow dead_letter(const Arrived& arrived, const Death& death) {
  const log::Record& record = arrived.record;
  const auto add = [](log::Headers& headers, std::string_view name, std::string value) {
    headers.emplace_back(std::string(name), std::move(value));
  };
  log::Message message{.topic = dead_letter_topic(record.at.topic),
                       .key = record.key,
                       .value = record.value.substr(0, kDeadLetterDataMax),
                       .headers = kept(record.headers)};
  add(message.headers, header::kEventId, arrived.id.to_string());
  add(message.headers, header::kErrorCode, std::string(to_string(death.error.code())));
  add(message.headers, header::kErrorText, shortened(death.error));
  add(message.headers, header::kGroup, death.group);
  add(message.headers, header::kTopic, record.at.topic);
  add(message.headers, header::kPartition, std::to_string(record.at.partition));
  add(message.headers, header::kOffset, std::to_string(record.offset.value));
  add(message.headers, header::kAttempts, std::to_string(death.attempts));
  add(message.headers, header::kDiedAt, to_rfc3339(death.at));
  if (record.value.size() > kDeadLetterDataMax)
    add(message.headers, header::kTruncated, std::to_string(record.value.size()));
  const std::string name = arrived.id.to_string() + "/" + std::to_string(death.deaths);
  return {.id = derived_id("dead-letter/" + death.group, name),
          .type = arrived.event ? arrived.event->type : "unreadable",
          .subject = arrived.event ? arrived.event->subject : "",
          .sequence = 0,
          .message = std::move(message)};
}

}  // namespace ekiden::delivery
