#include <algorithm>
#include <cstdio>
#include <exception>
#include <iterator>

#include <malloc.h>
#include <sodium.h>

#include "app/commands/commands.hpp"
#include "app/system_sources.hpp"

namespace ekiden::app {

namespace {

const Command kCommands[] = {
    {"serve",
     "serve [--service NAME]… [--listen ADDRESS:PORT] [--list]   runs services until SIGTERM",
     {.options = {}, .flags = {"list"}},
     serve},
    {"audit",
     "audit [--repair] [--wait SECONDS]    checks the equations that must hold; exits 1 where one does not",
     {.options = {"wait"}, .flags = {"repair"}},
     audit},
    {"dlq",
     "dlq list | show EVENT_ID | replay EVENT_ID|--all [--topic T] [--group G] [--discard]   dead letters",
     {.options = {"topic", "group"}, .flags = {"all", "discard"}, .arguments_max = 2},
     dead_letters},
    {"rebuild",
     "rebuild ranking    makes the boards anew while the server runs",
     {.options = {}, .flags = {}, .arguments_max = 1},
     rebuild},
    {"admin",
     "admin create --email E --password-file F --role admin|organizer|member | admin reset-password --email "
     "E",
     {.options = {"email", "password-file", "role"}, .flags = {}, .arguments_max = 1},
     admin},
    {"migrate", "migrate    brings every store's schema up to date", {}, migrate},
    {"config",
     "config --print [--markdown]    every setting in force, with its meaning",
     {.options = {}, .flags = {"print", "markdown"}},
     print_config},
};

int help(std::FILE* out) {
  std::fprintf(out, "Ekiden %s\n\n", std::string(version()).c_str());
  for (const Command& command : kCommands)
    std::fprintf(out, "  ekiden %s\n", std::string(command.usage).c_str());
  std::fprintf(
      out,
      "\nEvery command takes --data DIR (./data), --config FILE (TOML) and --set KEY=VALUE, repeatable.\n");
  return out == stdout ? 0 : 2;
}

int run(const std::vector<std::string>& words) {
  if (words.empty()) return help(stderr);
  if (words.front() == "help" || words.front() == "--help") return help(stdout);
  if (words.front() == "--version") {
    std::printf("ekiden %s\n", std::string(version()).c_str());
    return 0;
  }
  const auto* command = std::ranges::find(kCommands, words.front(), &Command::name);
  if (command == std::end(kCommands)) {
    std::fprintf(stderr, "ekiden: there is no command '%s'\n\n", words.front().c_str());
    return help(stderr);
  }
  if (std::ranges::find(words, "--help") != words.end()) return help(stdout);
  const auto line = parse_command_line({words.begin() + 1, words.end()}, command->shape);
  if (!line) return fail(line.error());
  return command->run(*line);
}

/// By default glibc gives a buffer of more than 128 KiB back to the kernel at once, and with it the free end
/// of each thread's heap: an upload would pay for the same pages again and again. What a single large file
/// takes is still given back.
void keep_freed_memory() {
  constexpr int kKeptBytes = 4 << 20;
  mallopt(M_MMAP_THRESHOLD, kKeptBytes);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
}

}  // namespace

int fail(const Error& error) {
  std::fprintf(stderr, "ekiden: %s\n", error.text().c_str());
  return error.slug() == "usage" || error.slug() == "bad-config" || error.slug() == "unknown-service" ? 2 : 1;
}

}  // namespace ekiden::app

int main(int count, char** words) {
  ekiden::app::keep_freed_memory();
  if (sodium_init() < 0) {
    std::fprintf(stderr, "ekiden: libsodium does not start\n");
    return 1;
  }
  try {
    return ekiden::app::run({words + 1, words + count});
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "ekiden: %s\n", thrown.what());
    return 1;
  }
}
