// Goal: after SIGKILL at a random moment every acknowledged record is there, and no committed offset is ahead
// of what was finished. Method: this program starts itself as a child that produces and consumes and writes a
// line for each step to a pipe *after* the step; the parent kills it after so many lines and reads the file.
#include <cstdio>

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/seeded_random.hpp"
#include "ports/log/contract/log_harness.hpp"
#include "ports/log/sqlite/testing/log_file.hpp"

extern char** environ;

namespace ekiden::log {
namespace {

using contract::Member;
using contract::numbered;
using sqlite::testing::Folder;
using sqlite::testing::open_log;
using sqlite::testing::Silence;

constexpr const char* kFolderVariable = "EKIDEN_LOG_CRASH_FOLDER";
constexpr int kPartitions = 3;

void say(const std::string& line) {
  const std::string text = line + "\n";
  static_cast<void>(::write(STDOUT_FILENO, text.data(), text.size()));
}

ConsumerConfig config() {
  ConsumerConfig config;
  config.group = "g";
  config.topics = {"t"};
  return config;
}

// The child: lives until it is killed. "A partition offset value" was acknowledged; "F partition offset" is
// about to be stored as finished.
TEST(LogCrashChild, DISABLED_ProducesAndConsumes) {
  const char* folder = ::getenv(kFolderVariable);
  ASSERT_NE(folder, nullptr) << "started by LogCrash only";
  const SystemClock clock;
  Silence silence;
  const auto log = open_log(folder, clock, silence, true);
  ASSERT_TRUE(log->ensure_topics({{.name = "t", .partitions = kPartitions}}));
  Member member(*log, config());
  std::int64_t next = 0;
  for (const PartitionState& state : *log->state("g", "t")) next += state.end.value;
  const auto producer = log->producer();
  for (;;) {
    for (Message& message : numbered("t", 20, 11, static_cast<int>(next))) {
      const std::string value = message.value;
      producer->send(std::move(message), [value](auto outcome) {
        if (!outcome) return;
        say("A " + std::to_string(outcome->first.partition) + " " + std::to_string(outcome->second.value) +
            " " + value);
      });
    }
    next += 20;
    member.seen.clear();
    member.poll(contract::kShort, 50);
    for (const Record& record : member.seen) {
      say("F " + std::to_string(record.at.partition) + " " + std::to_string(record.offset.value));
      ASSERT_TRUE(member.consumer->store(record.at, after(record.offset)));
    }
  }
}

struct Steps {
  std::map<std::pair<std::int32_t, std::int64_t>, std::string> acknowledged;
  std::map<std::int32_t, std::int64_t> finished;  ///< the highest next offset
};

void note(const std::string& line, Steps& steps) {
  int partition = 0;
  long long offset = 0;
  char value[32] = {};
  if (std::sscanf(line.c_str(), "A %d %lld %31s", &partition, &offset, value) == 3) {
    steps.acknowledged[{partition, offset}] = value;
  } else if (std::sscanf(line.c_str(), "F %d %lld", &partition, &offset) == 2) {
    steps.finished[partition] = std::max<std::int64_t>(steps.finished[partition], offset + 1);
  }
}

/// Starts the child, kills it once it has said `lines`, and notes everything it said.
void run_child_and_kill(const std::string& folder, std::size_t lines, Steps& steps) {
  ::setenv(kFolderVariable, folder.c_str(), 1);
  int ends[2] = {};
  ASSERT_EQ(::pipe(ends), 0);
  ::posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_addclose(&actions, ends[0]);
  std::string program = "/proc/self/exe";
  std::string filter = "--gtest_filter=LogCrashChild.*";
  std::string disabled = "--gtest_also_run_disabled_tests";
  char* arguments[] = {program.data(), filter.data(), disabled.data(), nullptr};
  ::pid_t child = 0;
  ASSERT_EQ(::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ), 0);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::FILE* said = ::fdopen(ends[0], "r");
  ASSERT_NE(said, nullptr);
  char line[256];
  std::size_t count = 0;
  while (std::fgets(line, sizeof line, said) != nullptr) {
    const std::string text = line;
    if (text.ends_with('\n')) note(text, steps);  // the last line may be torn
    if (++count == lines) ::kill(child, SIGKILL);
  }
  std::fclose(said);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself";
}

TEST(LogCrash, AcknowledgedRecordsSurviveAndCommitsAreNeverAhead) {
  constexpr std::uint64_t kSeed = 7;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  ekiden::testing::SeededRandom random(kSeed);
  const Folder folder;
  Steps steps;
  for (int crash = 0; crash < 8; ++crash) {
    run_child_and_kill(folder.path().string(), 20 + static_cast<std::size_t>(random.below(600)), steps);
    ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "crash " << crash;
    const SystemClock clock;
    Silence silence;
    const auto log = open_log(folder.path(), clock, silence, true);
    for (const auto& [place, value] : steps.acknowledged) {
      const auto records = log->read({"t", place.first}, Offset{place.second}, 1);
      ASSERT_TRUE(records);
      ASSERT_EQ(records->size(), 1U) << "an acknowledged record is not there";
      ASSERT_EQ(records->front().offset.value, place.second);
      ASSERT_EQ(records->front().value, value);
    }
    const auto states = log->state("g", "t");
    ASSERT_TRUE(states);
    for (const PartitionState& state : *states) {
      if (!state.committed) continue;
      ASSERT_LE(state.committed->value, steps.finished[state.at.partition]) << "committed, never finished";
    }
  }
  EXPECT_GT(steps.acknowledged.size(), 100U);
}

}  // namespace
}  // namespace ekiden::log
