// The Redis adapter of the ranking port on a board of a million members beside a raw client on the same
// server, in interleaved rounds: changes in batches of 128 (raw: SET NX EX, then ZINCRBY, pipelined), and
// rank reads (raw: ZREVRANK pipelined by 128; the adapter's block, so 32 threads read). The adapter also
// keeps who reached a score first, and when. Usage: redis_ranking_bench MEMBERS EVENTS ROUNDS PORT PID
// (bench/redis_ranking_compare starts the server)
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/random.hpp"
#include "bench/ranking_peers.hpp"
#include "ports/ranking/redis/redis_ranking.hpp"

namespace {

using namespace ekiden;
using namespace ekiden::bench;

constexpr std::size_t kReaders = 32;

class Adapter final : public Peer {
 public:
  Adapter(std::uint64_t members, std::uint16_t port, int server)
      : members_(members), server_(server), client_(config(port), clock_, random_, Logger(log_, clock_)) {
    if (!client_.wait_until_up(clock_.monotonic() + std::chrono::seconds{10})) {
      throw std::runtime_error("no Redis on this port");
    }
    store_ = ranking::make_redis_ranking(client_, {}, random_, clock_, Logger(log_, clock_));
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
        batch.emplace_back(EventId{event(next_event_++)}, std::move(changes));
      }
      const auto applied = store_->apply_batch(batch);
      if (!applied) throw std::runtime_error(applied.error().text());
      if (*applied != kPipeline) throw std::runtime_error("an event was lost");
    }
  }

  void rank(std::uint64_t reads) override {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kReaders; ++t) {
      threads.emplace_back([this, count = reads / kReaders, seed = next_event_ + t] {
        for (std::uint64_t i = 0; i < count; ++i) {
          const std::uint64_t member = ((seed + i) * 0x9E37'79B9'7F4A'7C15ULL >> 20) % members_;
          const auto found = store_->rank(kBoard, UserId{uuid(1, member)});
          if (!found || !*found) std::abort();
        }
      });
    }
  }

  double cpu_s() const override { return cpu_s_of(server_); }

 private:
  static redis::ClientConfig config(std::uint16_t port) {
    redis::ClientConfig config;
    config.address.port = port;
    return config;
  }
  /// As UUIDs of version 7 are: about a thousand a second.
  static Uuid event(std::uint64_t number) {
    std::array<std::uint8_t, 16> bytes{};
    const std::uint64_t ms = 1'790'000'000'000 + number;
    for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
    for (std::size_t i = 8; i < 16; ++i)
      bytes[i] = static_cast<std::uint8_t>(number * 0x9E37'79B9ULL >> (8 * (i - 8)));
    return Uuid{bytes};
  }

  const std::uint64_t members_;
  const int server_;
  SystemClock clock_;
  SystemRandom random_;
  FdLogSink log_{2};
  redis::Client client_;
  std::unique_ptr<ranking::Ranking> store_;
  Numbers numbers_;
  std::uint64_t next_event_ = 0;
  std::int64_t now_us_ = 0;
};

int run(char** argv) {
  const auto number = [&](int index) { return std::strtoull(argv[index], nullptr, 10); };
  const std::uint64_t members = number(1);
  const std::uint64_t events = number(2) / kPipeline * kPipeline;
  const auto port = static_cast<std::uint16_t>(number(4));
  const auto server = static_cast<int>(number(5));
  RawRedis raw(members, port, server);
  Adapter adapter(members, port, server);
  Samples raw_change;
  Samples raw_rank;
  Samples own_change;
  Samples own_rank;
  std::vector<double> own_cpu_us;
  for (std::uint64_t round = 0; round < number(3); ++round) {
    const double before = own_cpu_s();
    measure(own_change, adapter, events, [&] { adapter.change(events); });
    own_cpu_us.push_back((own_cpu_s() - before) * 1e6 / static_cast<double>(events));
    measure(raw_change, raw, events, [&] { raw.change(events); });
    measure(own_rank, adapter, events, [&] { adapter.rank(events); });
    measure(raw_rank, raw, events, [&] { raw.rank(events); });
  }
  print("raw: SET NX + ZINCRBY", raw_change);
  print("adapter: apply_batch", own_change);
  print("raw: ZREVRANK", raw_rank);
  print("adapter: rank", own_rank);
  fmt::print("adapter's own CPU: {:.2f} us an event, {:.2f} of Redis's (goal 0.25, then 0.10)\n",
             median(own_cpu_us), median(own_cpu_us) / median(own_change.cpu_us));
  fmt::print(
      "ratio of medians: change {:.2f} (goal 0.8, then 1.2), rank {:.2f}; of Redis's CPU: change {:.2f}, "
      "rank {:.2f}\n",
      median(own_change.per_s) / median(raw_change.per_s), median(own_rank.per_s) / median(raw_rank.per_s),
      median(raw_change.cpu_us) / median(own_change.cpu_us),
      median(raw_rank.cpu_us) / median(own_rank.cpu_us));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fmt::print(stderr, "usage: redis_ranking_bench MEMBERS EVENTS ROUNDS PORT PID\n");
    return 2;
  }
  try {
    return run(argv);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "redis_ranking_bench: {}\n", failure.what());
    return 1;
  }
}
