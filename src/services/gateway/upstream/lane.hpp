#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "http/outbound.hpp"
#include "services/gateway/upstream/config.hpp"
#include "services/gateway/upstream/endpoints.hpp"

namespace ekiden::gateway {

class Lane;

/// A connection to a process for the time of one call. Goes back to its lane with this object: kept where
/// its answer was read whole, closed otherwise.
class Lease {
 public:
  Lease(std::shared_ptr<Lane> lane, EndpointPtr endpoint, std::unique_ptr<http::Outbound> connection,
        bool was_kept);
  ~Lease();
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&&) = delete;

  http::Outbound& connection() const { return *connection_; }
  const EndpointPtr& endpoint() const { return endpoint_; }
  const Clock& clock() const;
  /// True where earlier calls were made on it: the other side may have closed it meanwhile.
  bool was_kept() const { return was_kept_; }

 private:
  std::shared_ptr<Lane> lane_;
  EndpointPtr endpoint_;
  std::unique_ptr<http::Outbound> connection_;
  bool was_kept_;
};

struct LaneConfig {
  std::size_t connections_max;  ///< to one process, on this loop
  std::size_t waiting_max;
  std::chrono::milliseconds connect_timeout;
  std::chrono::milliseconds idle_timeout;
  std::chrono::milliseconds tick;
  http::FramingLimits answers{};
};

/// The connections of one loop to all processes. Lives on that loop.
class Lane final : public std::enable_shared_from_this<Lane> {
 public:
  Lane(boost::asio::any_io_executor loop, const Clock& clock, LaneConfig config);
  ~Lane();

  /// A resting connection, a new one, or, where there are as many as may be, the next that comes back.
  /// It is watched over as Outbound::begin says.
  /// @errors busy         `upstream-busy`: as many wait as may.
  ///         unavailable  `upstream-unreachable`; timeout `upstream-timeout`. Nothing was sent in any case.
  runtime::Task<Result<Lease>> acquire(EndpointPtr endpoint, Instant until,
                                       std::shared_ptr<http::ClientSide> client);
  /// A resting connection, watched over likewise; nullopt where there is none.
  std::optional<Lease> acquire_kept(EndpointPtr endpoint, Instant until, std::shared_ptr<http::Asker> asker);

  const boost::asio::any_io_executor& loop() const { return loop_; }
  const Clock& clock() const { return clock_; }
  const std::shared_ptr<http::Watch>& watch() const { return watch_; }
  /// Connections to this process, resting ones too.
  std::size_t connections(const Endpoint& endpoint) const;

 private:
  friend class Lease;
  struct Waiter;
  struct Pool {
    std::vector<std::unique_ptr<http::Outbound>> idle;
    std::size_t open = 0;
    std::deque<Waiter*> waiting;
  };
  class Sweeper;

  std::unique_ptr<http::Outbound> take_idle(Pool& pool);
  void give_back(Endpoint& endpoint, std::unique_ptr<http::Outbound> connection);
  void free_place(Pool& pool);
  void sweep(Instant now);
  runtime::Task<Result<Lease>> wait(EndpointPtr endpoint, Instant until);
  runtime::Task<Result<Lease>> connect(EndpointPtr endpoint, Instant until,
                                       std::shared_ptr<http::ClientSide> client);

  const boost::asio::any_io_executor loop_;
  const Clock& clock_;
  const LaneConfig config_;
  const std::shared_ptr<http::Watch> watch_;
  std::unordered_map<const Endpoint*, Pool> pools_;
  std::vector<EndpointPtr> known_;  ///< of pools_, so that none goes while it has a pool
  std::unique_ptr<Sweeper> sweeper_;
  Instant swept_at_{};
};

}  // namespace ekiden::gateway
