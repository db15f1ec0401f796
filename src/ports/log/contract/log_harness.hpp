#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "ports/log/log.hpp"

namespace ekiden::log::contract {

/// How long a test waits for what must happen; never how long something takes.
constexpr Duration kPatience = std::chrono::seconds{60};
/// One wait among many.
constexpr Duration kShort = std::chrono::milliseconds{20};

/// One log with its data, made for one test.
class LogHarness {
 public:
  virtual ~LogHarness() = default;
  virtual Log& log() = 0;
  /// Closes the log and opens it anew on what it has kept. Its consumers and producers are gone before.
  virtual void reopen() = 0;
  /// Lets retention drop everything that has been appended to `topic` so far.
  virtual void drop_everything(const std::string& topic) = 0;
  /// The shortest session that the log grants.
  virtual std::chrono::milliseconds session_timeout() const = 0;
  /// How long members that come and go poll at a time: in some such turns one has its partitions.
  virtual Duration churn_turn() const { return kShort; }
};

struct LogMaker {
  std::string name;
  std::function<std::unique_ptr<LogHarness>()> make;
};

inline void PrintTo(const LogMaker& maker, std::ostream* out) {
  *out << maker.name;
}

/// Answers of a producer, counted.
class Deliveries {
 public:
  using Outcome = Result<std::pair<TopicPartition, Offset>>;

  Delivered next() {
    const MutexLock lock(mutex_);
    const std::size_t index = outcomes_.size();
    outcomes_.emplace_back(Error{Errc::timeout, "no-answer", "there was no answer in time"});
    return [this, index](Outcome outcome) {
      const MutexLock done_lock(mutex_);
      outcomes_[index] = std::move(outcome);
      ++answered_;
      changed_.notify_all();
    };
  }

  /// All outcomes in the order of `next`, once they are all there or patience has ended.
  std::vector<Outcome> wait() {
    const SystemClock clock;
    const Instant until = clock.monotonic() + kPatience;
    const MutexLock lock(mutex_);
    while (answered_ < outcomes_.size() && changed_.wait_until(mutex_, until)) {
    }
    return outcomes_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<Outcome> outcomes_ EKIDEN_GUARDED_BY(mutex_);
  std::size_t answered_ EKIDEN_GUARDED_BY(mutex_) = 0;
};

/// Sends all and waits; every message must arrive.
inline std::vector<std::pair<TopicPartition, Offset>> send_all(Log& log, std::vector<Message> messages) {
  Deliveries deliveries;
  const auto producer = log.producer();
  for (Message& message : messages) producer->send(std::move(message), deliveries.next());
  std::vector<std::pair<TopicPartition, Offset>> places;
  for (const auto& outcome : deliveries.wait()) {
    EXPECT_TRUE(outcome) << outcome.error().text();
    if (outcome) places.push_back(*outcome);
  }
  return places;
}

/// `count` messages "0", "1", … over keys "k0" to "k<keys-1>".
inline std::vector<Message> numbered(const std::string& topic, int count, int keys, int first = 0) {
  std::vector<Message> messages;
  for (int i = first; i < first + count; ++i) {
    messages.push_back({topic, "k" + std::to_string(i % keys), std::to_string(i), {}});
  }
  return messages;
}

/// Remembers what it was told, in one thread.
class Told final : public RebalanceListener {
 public:
  void on_assigned(const std::vector<TopicPartition>& partitions) override {
    for (const auto& at : partitions) EXPECT_TRUE(mine.insert(at).second) << "assigned twice";
    if (when_assigned) when_assigned(partitions);
  }
  void on_revoked(const std::vector<TopicPartition>& partitions) override {
    if (when_revoked) when_revoked(partitions);
    for (const auto& at : partitions) EXPECT_EQ(mine.erase(at), 1U) << "revoked what it had not";
    revocations += 1;
  }
  void on_lost(const std::vector<TopicPartition>& partitions) override {
    for (const auto& at : partitions) EXPECT_EQ(mine.erase(at), 1U) << "lost what it had not";
    lost.insert(lost.end(), partitions.begin(), partitions.end());
  }

  std::set<TopicPartition> mine;
  std::vector<TopicPartition> lost;
  int revocations = 0;
  std::function<void(const std::vector<TopicPartition>&)> when_assigned;
  std::function<void(const std::vector<TopicPartition>&)> when_revoked;
};

/// Calls `turn` until `done`, or until patience has ended: then false.
inline bool eventually(const std::function<bool()>& done, const std::function<void()>& turn) {
  const SystemClock clock;
  const Instant until = clock.monotonic() + kPatience;
  while (!done()) {
    if (clock.monotonic() > until) return false;
    turn();
  }
  return true;
}

/// A member of a group in the test's own thread.
class Member {
 public:
  Member(Log& log, ConsumerConfig config) {
    auto joined = log.join(std::move(config), told);
    EXPECT_TRUE(joined) << joined.error().text();
    if (joined) consumer = *std::move(joined);
  }

  /// Polls once and keeps what comes.
  void poll(Duration timeout = kShort, std::size_t max = 100) {
    auto records = consumer->poll(max, timeout);
    if (!records) {
      errors.push_back(records.error());
      return;
    }
    for (Record& record : *records) seen.push_back(std::move(record));
  }
  bool poll_until(const std::function<bool()>& done, std::size_t max = 100) {
    return eventually(done, [&] { poll(kShort, max); });
  }
  /// Polls until it has seen `count` records altogether.
  bool read(std::size_t count) {
    return poll_until([&] { return seen.size() >= count; });
  }
  /// Polls until it has `count` partitions.
  bool own(std::size_t count) {
    return poll_until([&] { return told.mine.size() == count; });
  }
  /// Stores everything that it has seen.
  void store_all() {
    for (const Record& record : seen) EXPECT_TRUE(consumer->store(record.at, after(record.offset)));
  }
  std::vector<std::string> values() const {
    std::vector<std::string> all;
    for (const Record& record : seen) all.push_back(record.value);
    return all;
  }

  Told told;
  std::unique_ptr<Consumer> consumer;
  std::vector<Record> seen;
  std::vector<Error> errors;
};

class LogContract : public ::testing::TestWithParam<LogMaker> {
 protected:
  LogContract() : harness_(GetParam().make()) {}

  Log& log() { return harness_->log(); }
  void make_topic(const std::string& name, std::int32_t partitions) {
    const auto made = log().ensure_topics({{.name = name, .partitions = partitions}});
    ASSERT_TRUE(made) << made.error().text();
  }
  ConsumerConfig config(const std::string& topic = "t", const std::string& group = "g") const {
    ConsumerConfig config;
    config.group = group;
    config.topics = {topic};
    return config;
  }
  std::optional<std::int64_t> committed(const std::string& group, const TopicPartition& at) {
    const auto states = log().state(group, at.topic);
    EXPECT_TRUE(states);
    if (!states) return std::nullopt;
    for (const PartitionState& state : *states) {
      if (state.at == at && state.committed) return state.committed->value;
    }
    return std::nullopt;
  }

  std::unique_ptr<LogHarness> harness_;
};

}  // namespace ekiden::log::contract
