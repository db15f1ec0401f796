#include "delivery/dead_letters.hpp"

#include <cstdio>

#include "app/commands/commands.hpp"
#include "app/commands/toolbox.hpp"

namespace ekiden::app {

namespace {

constexpr std::size_t kListed = 1000;
constexpr std::string_view kSuffix = ".dlq";

/// Topics that have dead letters, or the one that was asked for.
Result<std::vector<std::string>> topics_of(log::Log& log, const CommandLine& line) {
  if (const auto topic = line.option("topic")) return std::vector<std::string>{*topic};
  EKIDEN_TRY(const auto all, log.topics());
  std::vector<std::string> topics;
  for (const log::TopicConfig& topic : all) {
    if (topic.name.ends_with(kSuffix))
      topics.push_back(topic.name.substr(0, topic.name.size() - kSuffix.size()));
  }
  return topics;
}

void print_line(const delivery::DeadLetter& letter) {
  std::printf("%s  %s  %s  %s  %s  attempts %lld  %s: %s\n", letter.event_id.to_string().c_str(),
              to_rfc3339(letter.died_at).c_str(), letter.from.topic.c_str(), letter.group.c_str(),
              letter.type.empty() ? "(unreadable)" : letter.type.c_str(),
              static_cast<long long>(letter.attempts), letter.error_code.c_str(), letter.error_text.c_str());
}

void print_whole(const delivery::DeadLetter& letter) {
  print_line(letter);
  std::printf("from %s/%d at %lld, key %s\n", letter.from.topic.c_str(), letter.from.partition,
              static_cast<long long>(letter.from_offset.value), letter.original.key.c_str());
  for (const auto& [name, value] : letter.original.headers)
    std::printf("%s: %s\n", name.c_str(), value.c_str());
  std::printf("\n%s\n", letter.original.value.c_str());
}

Result<std::vector<delivery::DeadLetter>> find(Toolbox& tools, const CommandLine& line) {
  delivery::DeadLetters letters(tools.stores().log());
  EKIDEN_TRY(const auto topics, topics_of(tools.stores().log(), line));
  std::vector<delivery::DeadLetter> found;
  for (const std::string& topic : topics) {
    EKIDEN_TRY(auto of_topic, letters.list(topic, line.option("group").value_or(""), kListed));
    for (delivery::DeadLetter& letter : of_topic) found.push_back(std::move(letter));
  }
  if (line.arguments.size() < 2) return found;
  std::erase_if(found, [&](const delivery::DeadLetter& letter) {
    return letter.event_id.to_string() != line.arguments[1];
  });
  if (found.empty())
    return Error{Errc::not_found, "not-found", "there is no dead letter " + line.arguments[1]};
  return found;
}

}  // namespace

int dead_letters(const CommandLine& line) {
  const std::string what = line.arguments.empty() ? "" : line.arguments.front();
  const bool needs_id = (what == "show" || what == "replay") && !line.has_flag("all");
  if ((what != "list" && what != "show" && what != "replay") || (needs_id && line.arguments.size() < 2)) {
    return fail(
        {Errc::invalid, "usage",
         "ekiden dlq list | show EVENT_ID | replay EVENT_ID|--all [--topic T] [--group G] [--discard]"});
  }
  const Result<Config> config = load_config(line);
  if (!config) return fail(config.error());
  Toolbox tools(line, *config);
  const auto found = find(tools, line);
  if (!found) return fail(found.error());
  if (what == "list") {
    for (const delivery::DeadLetter& letter : *found) print_line(letter);
    std::printf("%zu dead letters\n", found->size());
    return 0;
  }
  if (what == "show") {
    for (const delivery::DeadLetter& letter : *found) print_whole(letter);
    return 0;
  }
  delivery::DeadLetters letters(tools.stores().log());
  const auto mode = line.has_flag("discard") ? delivery::ReplayMode::discard : delivery::ReplayMode::apply;
  for (const delivery::DeadLetter& letter : *found) {
    const Result<void> sent = letters.replay(letter, mode);
    if (!sent) return fail(sent.error());
    std::printf("%s replayed\n", letter.event_id.to_string().c_str());
  }
  return 0;
}

}  // namespace ekiden::app
