#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/mutex.hpp"
#include "base/random.hpp"
#include "services/gateway/upstream/circuit_breaker.hpp"

namespace ekiden::gateway {

/// What a process said when its health was asked.
enum class Readiness : std::uint8_t { unknown, ready, not_ready, unreachable };

/// One process of a service, at one address. @threads any
class Endpoint {
 public:
  Endpoint(boost::asio::ip::tcp::endpoint address, CircuitConfig circuit);

  const boost::asio::ip::tcp::endpoint at;
  const std::string name;  ///< `10.0.0.1:8081`, `[fd00::1]:8081`

  /// Calls under way.
  int in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  void entered() { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  void exited() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }

  Readiness readiness() const { return readiness_.load(std::memory_order_relaxed); }
  void set_readiness(Readiness readiness) { readiness_.store(readiness, std::memory_order_relaxed); }
  /// False where resting connections to it should be closed: it ends, is gone, or is no longer listed.
  bool is_wanted() const {
    return is_listed_.load(std::memory_order_relaxed) && readiness() <= Readiness::ready;
  }
  void unlist() { is_listed_.store(false, std::memory_order_relaxed); }
  bool is_listed() const { return is_listed_.load(std::memory_order_relaxed); }

  bool admits(Instant now) const EKIDEN_EXCLUDES(mutex_);
  void enter(Instant now) EKIDEN_EXCLUDES(mutex_);
  void succeeded() EKIDEN_EXCLUDES(mutex_);
  void failed(Instant now) EKIDEN_EXCLUDES(mutex_);
  void left() EKIDEN_EXCLUDES(mutex_);
  /// A new process stands there: what the old one did is forgotten.
  void recovered() EKIDEN_EXCLUDES(mutex_);
  CircuitBreaker::State circuit() const EKIDEN_EXCLUDES(mutex_);

 private:
  std::atomic<int> in_flight_ = 0;
  std::atomic<Readiness> readiness_ = Readiness::unknown;
  std::atomic<bool> is_listed_ = true;
  const CircuitConfig circuit_;
  mutable Mutex mutex_;
  CircuitBreaker breaker_ EKIDEN_GUARDED_BY(mutex_);
};

using EndpointPtr = std::shared_ptr<Endpoint>;

/// A call whose circuit was entered by EndpointSet::pick: leaves it without a verdict where none is given.
class Trial {
 public:
  explicit Trial(EndpointPtr endpoint) : endpoint_(std::move(endpoint)) {}
  ~Trial() {
    if (!is_over_) endpoint_->left();
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  void succeeded() {
    is_over_ = true;
    endpoint_->succeeded();
  }
  void failed(Instant now) {
    is_over_ = true;
    endpoint_->failed(now);
  }
  const EndpointPtr& endpoint() const { return endpoint_; }

 private:
  const EndpointPtr endpoint_;
  bool is_over_ = false;
};

/// The processes of one service. @threads any
class EndpointSet {
 public:
  EndpointSet(CircuitConfig circuit, Random& random);

  /// Lists these and no others; a process that was listed before keeps what is known of it.
  void replace(const std::vector<boost::asio::ip::tcp::endpoint>& addresses) EKIDEN_EXCLUDES(mutex_);

  /// The one with fewer calls under way of two drawn at random, among those whose circuit admits a call; the
  /// ready and untried come first, but one that says it is not ready is still better than none. Enters its
  /// circuit. Null where every circuit is open or nothing is listed.
  EndpointPtr pick(Instant now, std::span<const EndpointPtr> tried) EKIDEN_EXCLUDES(mutex_);

  std::vector<EndpointPtr> all() const EKIDEN_EXCLUDES(mutex_);

 private:
  std::size_t draw(std::size_t below) EKIDEN_REQUIRES(mutex_);

  const CircuitConfig circuit_;
  mutable Mutex mutex_;
  std::vector<EndpointPtr> endpoints_ EKIDEN_GUARDED_BY(mutex_);
  std::vector<std::size_t> candidates_ EKIDEN_GUARDED_BY(mutex_);
  std::uint64_t state_ EKIDEN_GUARDED_BY(mutex_) = 0;
};

}  // namespace ekiden::gateway
