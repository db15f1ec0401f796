// Leaderboard changes with deduplication and rank reads on a board of a million members: the memory adapter
// beside a raw Redis client that pipelines 128 events (SET NX EX, then ZINCRBY) and 128 ZREVRANKs, in
// interleaved rounds. Usage: ranking_bench MEMBERS EVENTS ROUNDS [REDIS_PORT REDIS_PID]
// (bench/ranking_compare starts the server)
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/ranking_peers.hpp"
#include "ports/ranking/memory/memory_ranking.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::bench;

class Memory final : public Peer {
 public:
  explicit Memory(std::uint64_t members)
      : members_(members), store_(ranking::make_memory_ranking({.ready_when_empty = true})) {
    ranking::Board board{std::string(kBoard), {}};
    for (std::uint64_t i = 0; i < members; ++i) {
      const auto score = static_cast<std::int64_t>(numbers_.below(100'000) + 1);
      board.standings.push_back({UserId{uuid(1, i)}, score, from_micros(++now_us_)});
    }
    const auto loaded = store_->rebuild(
        [&](ranking::Loader& loader) -> Result<void> { return loader.put(std::move(board)); });
    if (!loaded) throw std::runtime_error(loaded.error().text());
  }

  void change(std::uint64_t events) override {
    for (std::uint64_t done = 0; done < events; done += kPipeline) {
      std::vector<std::pair<EventId, std::vector<ranking::Change>>> batch;
      batch.reserve(kPipeline);
      for (std::size_t i = 0; i < kPipeline; ++i) {
        std::vector<ranking::Change> changes;
        changes.push_back(
            {std::string(kBoard), UserId{uuid(1, numbers_.below(members_))}, 7, from_micros(++now_us_)});
        batch.emplace_back(EventId{uuid(2, next_event_++)}, std::move(changes));
      }
      if (store_->apply_batch(batch).value_or(0) != kPipeline) throw std::runtime_error("an event was lost");
    }
  }

  void rank(std::uint64_t reads) override {
    for (std::uint64_t i = 0; i < reads; ++i) {
      const auto found = store_->rank(kBoard, UserId{uuid(1, numbers_.below(members_))});
      if (!found || !*found) throw std::runtime_error("a member was lost");
    }
  }

  double cpu_s() const override { return own_cpu_s(); }

 private:
  std::uint64_t members_;
  std::unique_ptr<ranking::Ranking> store_;
  Numbers numbers_;
  std::uint64_t next_event_ = 0;
  std::int64_t now_us_ = 0;
};

int run(int argc, char** argv) {
  const auto number = [&](int index) { return std::strtoull(argv[index], nullptr, 10); };
  const std::uint64_t members = number(1);
  const std::uint64_t events = number(2) / kPipeline * kPipeline;
  const std::uint64_t rounds = number(3);
  Memory memory(members);
  std::unique_ptr<RawRedis> redis;
  if (argc == 6) {
    redis = std::make_unique<RawRedis>(members, static_cast<std::uint16_t>(number(4)),
                                       static_cast<int>(number(5)));
  }
  Samples own_change;
  Samples own_rank;
  Samples redis_change;
  Samples redis_rank;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    measure(own_change, memory, events, [&] { memory.change(events); });
    if (redis) measure(redis_change, *redis, events, [&] { redis->change(events); });
    measure(own_rank, memory, events, [&] { memory.rank(events); });
    if (redis) measure(redis_rank, *redis, events, [&] { redis->rank(events); });
  }
  print("memory: dedup + update", own_change);
  print("memory: rank", own_rank);
  if (!redis) return 0;
  print("redis: SET NX + ZINCRBY", redis_change);
  print("redis: ZREVRANK", redis_rank);
  fmt::print(
      "ratio of medians: change {:.1f} (goal 5, then 12), rank {:.1f}; of CPU: change {:.1f}, rank {:.1f}\n",
      median(own_change.per_s) / median(redis_change.per_s),
      median(own_rank.per_s) / median(redis_rank.per_s),
      median(redis_change.cpu_us) / median(own_change.cpu_us),
      median(redis_rank.cpu_us) / median(own_rank.cpu_us));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 6) {
    fmt::print(stderr, "usage: ranking_bench MEMBERS EVENTS ROUNDS [REDIS_PORT REDIS_PID]\n");
    return 2;
  }
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "ranking_bench: {}\n", failure.what());
    return 1;
  }
}
