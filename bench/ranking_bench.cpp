// Leaderboard changes with deduplication and rank reads on a board of a million members: the memory adapter
// beside a raw Redis client that pipelines 128 events (SET NX EX, then ZINCRBY) and 128 ZREVRANKs, in
// interleaved rounds. Usage: ranking_bench MEMBERS EVENTS ROUNDS [REDIS_PORT REDIS_PID]
// (bench/ranking_compare starts the server)
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "ports/ranking/memory/memory_ranking.hpp"

namespace {

using namespace ekiden;

constexpr std::size_t kPipeline = 128;
constexpr std::string_view kBoard = "distance:run:all";

class Numbers {  // xorshift64: the draw must cost nothing beside what is measured
 public:
  std::uint64_t below(std::uint64_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ % bound;
  }

 private:
  std::uint64_t state_ = 88172645463325252ULL;
};

Uuid uuid(std::uint64_t kind, std::uint64_t number) {
  std::array<std::uint8_t, 16> bytes{};
  const std::uint64_t mixed = (number + 1) * 0x9E37'79B9'7F4A'7C15ULL;
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>((kind << 40 | number) >> (8 * (7 - i)));
    bytes[8 + i] = static_cast<std::uint8_t>(mixed >> (8 * i));
  }
  return Uuid{bytes};
}

/// One side of the comparison.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void change(std::uint64_t events) = 0;
  virtual void rank(std::uint64_t reads) = 0;
  /// CPU seconds used so far by whoever keeps the board.
  virtual double cpu_s() const = 0;
};

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

  double cpu_s() const override {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& at) {
      return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }

 private:
  std::uint64_t members_;
  std::unique_ptr<ranking::Ranking> store_;
  Numbers numbers_;
  std::uint64_t next_event_ = 0;
  std::int64_t now_us_ = 0;
};

class Redis final : public Peer {
 public:
  Redis(std::uint64_t members, std::uint16_t port, int server) : members_(members), server_(server) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("no Redis on this port");
    }
    for (std::uint64_t i = 0; i < members; i += kPipeline) {
      const std::uint64_t end = std::min(members, i + kPipeline);
      for (std::uint64_t n = i; n < end; ++n) {
        command({"ZADD", kBoard, std::to_string(numbers_.below(100'000) + 1), member(n)});
      }
      finish(end - i);
    }
  }
  ~Redis() override { ::close(socket_); }
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  void change(std::uint64_t events) override {
    for (std::uint64_t done = 0; done < events; done += kPipeline) {
      for (std::size_t i = 0; i < kPipeline; ++i) {
        command({"SET", fmt::format("ev:{}", next_event_++), "1", "NX", "EX", "86400"});
        command({"ZINCRBY", kBoard, "7", member(numbers_.below(members_))});
      }
      // A value's answer is two lines: +OK, then $n and the score.
      finish(3 * kPipeline);
    }
  }

  void rank(std::uint64_t reads) override {
    for (std::uint64_t done = 0; done < reads; done += kPipeline) {
      for (std::size_t i = 0; i < kPipeline; ++i) {
        command({"ZREVRANK", kBoard, member(numbers_.below(members_))});
      }
      finish(kPipeline);
    }
  }

  double cpu_s() const override {
    std::ifstream file(fmt::format("/proc/{}/stat", server_));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }

 private:
  static std::string member(std::uint64_t number) { return fmt::format("user:{:012}", number); }

  void command(std::initializer_list<std::string_view> words) {
    fmt::format_to(std::back_inserter(out_), "*{}\r\n", words.size());
    for (const std::string_view word : words) {
      fmt::format_to(std::back_inserter(out_), "${}\r\n{}\r\n", word.size(), word);
    }
  }

  /// Sends what is gathered and reads until so many lines have come.
  void finish(std::uint64_t lines) {
    for (std::size_t sent = 0; sent < out_.size();) {
      const ssize_t wrote = ::write(socket_, out_.data() + sent, out_.size() - sent);
      if (wrote <= 0) throw std::runtime_error("Redis does not take the commands");
      sent += static_cast<std::size_t>(wrote);
    }
    out_.clear();
    std::array<char, 1 << 16> buffer{};
    bool line_begins = true;
    while (lines > 0) {
      const ssize_t got = ::read(socket_, buffer.data(), buffer.size());
      if (got <= 0) throw std::runtime_error("Redis does not answer");
      for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
        if (line_begins && c == '-') throw std::runtime_error("Redis answers an error");
        line_begins = c == '\n';
        lines -= line_begins ? 1 : 0;
      }
    }
  }

  std::uint64_t members_;
  int server_;
  int socket_ = -1;
  std::string out_;
  Numbers numbers_;
  std::uint64_t next_event_ = 0;
};

struct Samples {
  std::vector<double> per_s;
  std::vector<double> cpu_us;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure(Samples& samples, const Peer& peer, std::uint64_t count, const std::function<void()>& work) {
  const SystemClock clock;
  const Instant begin = clock.monotonic();
  const double cpu_begin = peer.cpu_s();
  work();
  const double wall_s = std::chrono::duration<double>(clock.monotonic() - begin).count();
  const auto operations = static_cast<double>(count);
  samples.per_s.push_back(operations / wall_s);
  samples.cpu_us.push_back((peer.cpu_s() - cpu_begin) * 1e6 / operations);
}

void print(std::string_view what, const Samples& samples) {
  const auto [low, high] = std::ranges::minmax(samples.per_s);
  fmt::print("{:<28} {:>12.0f} per s ({:.0f}-{:.0f}), {:.2f} us CPU each\n", what, median(samples.per_s), low,
             high, median(samples.cpu_us));
}

int run(int argc, char** argv) {
  const auto number = [&](int index) { return std::strtoull(argv[index], nullptr, 10); };
  const std::uint64_t members = number(1);
  const std::uint64_t events = number(2) / kPipeline * kPipeline;
  const std::uint64_t rounds = number(3);
  Memory memory(members);
  std::unique_ptr<Redis> redis;
  if (argc == 6) {
    redis =
        std::make_unique<Redis>(members, static_cast<std::uint16_t>(number(4)), static_cast<int>(number(5)));
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
