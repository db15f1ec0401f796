#include "http/loop.hpp"

#include <cstring>
#include <ctime>

#include "http/connection.hpp"

namespace ekiden::http {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

/// @source RFC 9110 5.6.7
std::string http_date(std::time_t at) {
  std::tm parts{};
  gmtime_r(&at, &parts);
  std::array<char, 40> text;
  // The C locale's names are the ones that the RFC asks for; nothing here sets another.
  const std::size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

}  // namespace

RequestIds::RequestIds(Random& random) : state_(0) {
  random.fill(std::as_writable_bytes(std::span(&state_, 1)));
}

/// @source Steele, Lea, Flood: Fast splittable pseudorandom number generators (SplitMix64)
std::uint64_t RequestIds::next() {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
  return mixed ^ (mixed >> 31U);
}

void RequestIds::write_uuid(std::int64_t millis, std::array<char, 36>& out) {
  const std::uint64_t random = next();
  const std::uint64_t high = (static_cast<std::uint64_t>(millis) << 16U) | 0x7000U | (random & 0xFFFU);
  const std::uint64_t low = (next() & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;
  std::size_t at = 0;
  const auto write = [&](std::uint64_t bits, unsigned from, unsigned count) {
    for (unsigned i = 0; i < count; ++i) out[at++] = kHex[(bits >> (from - 4 * i)) & 15U];
  };
  write(high, 60, 8);
  out[at++] = '-';
  write(high, 28, 4);
  out[at++] = '-';
  write(high, 12, 4);
  out[at++] = '-';
  write(low, 60, 4);
  out[at++] = '-';
  write(low, 44, 12);
}

std::string RequestIds::hex(std::size_t digits) {
  std::string text;
  while (text.size() < digits) {
    std::uint64_t bits = next();
    for (int i = 0; i < 16 && text.size() < digits; ++i, bits >>= 4U) text += kHex[bits & 15U];
  }
  return text;
}

bool RequestIds::chance(double share) {
  constexpr double kRange = 18446744073709551616.0;  // 2^64
  return static_cast<double>(next()) < share * kRange;
}

Loop::Loop(Server::Core& server, LoopExecutor loop_executor, Random& random)
    : core(server), executor(loop_executor), any_executor(loop_executor), ids(random) {
  refresh_clock();
}

void Loop::add(Connection& connection) {
  connection.next = first_;
  connection.previous = nullptr;
  if (first_ != nullptr) first_->previous = &connection;
  first_ = &connection;
  connection.is_listed = true;
  figures.connections.add();
  figures.accepted.add();
  if (!ticking_.expired()) return;
  refresh_clock();
  auto timer = std::make_shared<Timer>(executor);
  ticking_ = timer;
  arm_tick(std::move(timer));
}

void Loop::remove(Connection& connection) {
  if (!connection.is_listed) return;
  connection.is_listed = false;
  if (connection.previous != nullptr) connection.previous->next = connection.next;
  if (connection.next != nullptr) connection.next->previous = connection.previous;
  if (first_ == &connection) first_ = connection.next;
  figures.connections.add(-1);
  // An idle server sleeps.
  const auto timer = ticking_.lock();
  if (first_ == nullptr && timer) timer->cancel();
}

void Loop::arm_tick(std::shared_ptr<Timer> timer) {
  Timer& armed = *timer;
  armed.expires_after(core.config.tick);
  armed.async_wait([this, kept = core.shared_from_this(), timer = std::move(timer)](
                       boost::system::error_code) mutable { on_tick(std::move(timer)); });
}

void Loop::on_tick(std::shared_ptr<Timer> timer) {
  if (first_ == nullptr) return;
  refresh_clock();
  for (Connection* each = first_; each != nullptr;) {
    // check() may take its connection off the list, and with it the last reference.
    Connection* following = each->next;
    each->check(now_);
    each = following;
  }
  arm_tick(std::move(timer));
}

void Loop::refresh_clock() {
  now_ = core.clock.monotonic();
  wall_millis_ = to_micros(core.clock.now()) / 1000;
  const std::int64_t second = wall_millis_ / 1000;
  if (second == common_second_ && !common_.empty()) return;
  common_second_ = second;
  common_ = "Server: ekiden\r\nDate: " + http_date(static_cast<std::time_t>(second)) +
            "\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n";
}

void Loop::drain(bool now) {
  draining = true;
  for (Connection* each = first_; each != nullptr;) {
    Connection* following = each->next;
    each->drain(now);
    each = following;
  }
}

}  // namespace ekiden::http
