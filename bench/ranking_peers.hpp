#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
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
#include "base/id.hpp"

/// What the benchmarks of the ranking share: the raw Redis client that they are compared with, and measuring.
namespace ekiden::bench {

inline constexpr std::size_t kPipeline = 128;
inline constexpr std::string_view kBoard = "distance:run:all";

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

inline Uuid uuid(std::uint64_t kind, std::uint64_t number) {
  std::array<std::uint8_t, 16> bytes{};
  const std::uint64_t mixed = (number + 1) * 0x9E37'79B9'7F4A'7C15ULL;
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>((kind << 40 | number) >> (8 * (7 - i)));
    bytes[8 + i] = static_cast<std::uint8_t>(mixed >> (8 * i));
  }
  return Uuid{bytes};
}

/// CPU seconds of this process.
inline double own_cpu_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& at) {
    return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// CPU seconds of another process.
inline double cpu_s_of(int process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
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

class RawRedis final : public Peer {
 public:
  RawRedis(std::uint64_t members, std::uint16_t port, int server) : members_(members), server_(server) {
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
  ~RawRedis() override { ::close(socket_); }
  RawRedis(const RawRedis&) = delete;
  RawRedis& operator=(const RawRedis&) = delete;

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

  double cpu_s() const override { return cpu_s_of(server_); }

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

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

inline void measure(Samples& samples, const Peer& peer, std::uint64_t count,
                    const std::function<void()>& work) {
  const SystemClock clock;
  const Instant begin = clock.monotonic();
  const double cpu_begin = peer.cpu_s();
  work();
  const double wall_s = std::chrono::duration<double>(clock.monotonic() - begin).count();
  const auto operations = static_cast<double>(count);
  samples.per_s.push_back(operations / wall_s);
  samples.cpu_us.push_back((peer.cpu_s() - cpu_begin) * 1e6 / operations);
}

inline void print(std::string_view what, const Samples& samples) {
  const auto [low, high] = std::ranges::minmax(samples.per_s);
  fmt::print("{:<28} {:>12.0f} per s ({:.0f}-{:.0f}), {:.2f} us CPU each\n", what, median(samples.per_s), low,
             high, median(samples.cpu_us));
}

}  // namespace ekiden::bench
