#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.hpp"

namespace ekiden::http {

/// Something on a loop that must be looked at from time to time.
class Watched {
 public:
  Watched() = default;
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  /// May take itself off the watch, but nothing else.
  virtual void check(Instant now) = 0;

 protected:
  ~Watched() = default;

 private:
  friend class Watch;
  static constexpr std::size_t kUnlisted = static_cast<std::size_t>(-1);
  std::size_t place_ = kUnlisted;
};

/// Checks whatever is listed once a tick, and sleeps while nothing is: one timer a loop instead of one for
/// each operation. Lives on its loop; what is listed takes itself off before it goes.
class Watch : public std::enable_shared_from_this<Watch> {
 public:
  Watch(const boost::asio::any_io_executor& loop, const Clock& clock, std::chrono::milliseconds tick)
      : clock_(clock), tick_(tick), timer_(loop) {}

  void add(Watched& item);
  void remove(Watched& item);
  const Clock& clock() const { return clock_; }

 private:
  void arm();
  void on_tick();

  const Clock& clock_;
  const std::chrono::milliseconds tick_;
  boost::asio::steady_timer timer_;
  std::vector<Watched*> items_;
  bool armed_ = false;
};

}  // namespace ekiden::http
