#include "delivery/dead_letters.hpp"

#include <algorithm>
#include <charconv>
#include <future>
#include <memory>
#include <tuple>

#include "delivery/dead_letter_message.hpp"

namespace ekiden::delivery {
namespace {

constexpr std::size_t kReadMax = 1000;

std::string text_of(const log::Headers& headers, std::string_view name) {
  const std::string* found = find_header(headers, name);
  return found == nullptr ? std::string() : *found;
}

std::int64_t number_of(const log::Headers& headers, std::string_view name) {
  const std::string text = text_of(headers, name);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// nullopt for a record that no runner wrote.
std::optional<DeadLetter> read_letter(log::Record record) {
  const auto event = EventId::parse(text_of(record.headers, header::kEventId));
  if (!event) return std::nullopt;
  DeadLetter letter{
      .at = record.at,
      .offset = record.offset,
      .event_id = *event,
      .group = text_of(record.headers, header::kGroup),
      .from = {.topic = text_of(record.headers, header::kTopic),
               .partition = static_cast<std::int32_t>(number_of(record.headers, header::kPartition))},
      .from_offset = {number_of(record.headers, header::kOffset)},
      .type = text_of(record.headers, "ce_type"),
      .subject = text_of(record.headers, "ce_subject"),
      .error_code = text_of(record.headers, header::kErrorCode),
      .error_text = text_of(record.headers, header::kErrorText),
      .attempts = number_of(record.headers, header::kAttempts),
      .died_at = parse_rfc3339(text_of(record.headers, header::kDiedAt)).value_or(record.appended_at),
      .is_truncated = find_header(record.headers, header::kTruncated) != nullptr,
      .original = {}};
  std::erase_if(record.headers, [](const auto& one) { return one.first.starts_with("ekiden_"); });
  letter.original = {.topic = letter.from.topic,
                     .key = std::move(record.key),
                     .value = std::move(record.value),
                     .headers = std::move(record.headers)};
  return letter;
}

}  // namespace

Result<std::vector<DeadLetter>> DeadLetters::list(std::string_view topic, std::string_view group,
                                                  std::size_t max) {
  const std::string dead_topic = dead_letter_topic(topic);
  EKIDEN_TRY(const auto topics, log_.topics());
  const bool exists =
      std::ranges::any_of(topics, [&](const log::TopicConfig& one) { return one.name == dead_topic; });
  std::vector<DeadLetter> letters;
  if (!exists) return letters;
  EKIDEN_TRY(const auto partitions, log_.state("ekiden.dlq", dead_topic));
  for (const log::PartitionState& partition : partitions) {
    log::Offset from = partition.begin;
    while (from < partition.end) {
      EKIDEN_TRY(auto records, log_.read(partition.at, from, kReadMax));
      if (records.empty()) break;
      from = {log::after(records.back().offset).value};
      for (log::Record& record : records) {
        auto letter = read_letter(std::move(record));
        if (letter && (group.empty() || letter->group == group)) letters.push_back(*std::move(letter));
      }
      // Only the newest are asked for: memory stays bounded however many there are.
      if (letters.size() > 2 * max + kReadMax)
        letters.erase(letters.begin(), letters.end() - static_cast<std::ptrdiff_t>(max));
    }
  }
  // A relay may have published a letter twice: the same death is shown once.
  const auto death = [](const DeadLetter& letter) {
    return std::tie(letter.died_at, letter.from_offset, letter.event_id, letter.group);
  };
  std::ranges::sort(letters, std::ranges::greater{}, death);
  const auto copies = std::ranges::unique(letters, {}, death);
  letters.erase(copies.begin(), copies.end());
  if (letters.size() > max) letters.resize(max);
  return letters;
}

Result<DeadLetter> DeadLetters::show(std::string_view topic, std::string_view group, const EventId& event) {
  constexpr std::size_t kSearched = 100'000;
  EKIDEN_TRY(auto letters, list(topic, group, kSearched));
  const auto found = std::ranges::find(letters, event, &DeadLetter::event_id);
  if (found == letters.end())
    return Error{Errc::not_found, "no-such-dead-letter", "the group has no dead letter with this event id",
                 "event_id"};
  return std::move(*found);
}

Result<void> DeadLetters::replay(const DeadLetter& letter, ReplayMode mode,
                                 std::chrono::milliseconds timeout) {
  if (letter.is_truncated && mode == ReplayMode::apply)
    return Error{Errc::invalid, "truncated", "the event was too large to keep; it can only be discarded"};
  log::Message message = letter.original;
  message.headers.emplace_back(header::kEventId, letter.event_id.to_string());
  message.headers.emplace_back(header::kReplayGroup, letter.group);
  message.headers.emplace_back(header::kReplayMode, mode == ReplayMode::apply ? "apply" : "discard");
  auto promise = std::make_shared<std::promise<Result<void>>>();
  auto outcome = promise->get_future();
  log_.producer()->send(std::move(message), [promise](auto delivered) {
    promise->set_value(delivered ? Result<void>{} : Result<void>{delivered.error()});
  });
  if (outcome.wait_for(timeout) != std::future_status::ready)
    return Error{Errc::timeout, "replay-timeout", "the log did not answer in time; replay it again"};
  return outcome.get();
}

}  // namespace ekiden::delivery
