#include "services/gateway/upstream/lane.hpp"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ekiden::gateway {

namespace {

namespace asio = boost::asio;

Error busy() {
  return Error{Errc::busy, "upstream-busy",
               "Too many calls wait for this part of Ekiden: try again in a moment."}
      .with_retry_after(std::chrono::seconds{1});
}
Error late() {
  return {Errc::timeout, "upstream-timeout",
          "A part of Ekiden had no time for this call before its deadline."};
}

}  // namespace

Lease::Lease(std::shared_ptr<Lane> lane, EndpointPtr endpoint, std::unique_ptr<http::Outbound> connection,
             bool was_kept)
    : lane_(std::move(lane)),
      endpoint_(std::move(endpoint)),
      connection_(std::move(connection)),
      was_kept_(was_kept) {
  endpoint_->entered();
}

Lease::~Lease() {
  if (!endpoint_) return;
  endpoint_->exited();
  lane_->give_back(*endpoint_, std::move(connection_));
}

Lease::Lease(Lease&& other) noexcept = default;

const Clock& Lease::clock() const {
  return lane_->clock();
}

/// Who waits for a connection. What it was given and did not take goes on to the next.
struct Lane::Waiter final : http::Watched {
  Waiter(Lane& owner, Endpoint& process, Instant wait_until)
      : lane(owner), endpoint(process), until(wait_until), signal(owner.loop_, Instant::max()) {
    lane.pools_[&endpoint].waiting.push_back(this);
    lane.watch_->add(*this);
  }
  ~Waiter() {
    lane.watch_->remove(*this);
    Pool& pool = lane.pools_[&endpoint];
    std::erase(pool.waiting, this);
    if (given) lane.give_back(endpoint, std::move(given));
    if (has_place) lane.free_place(pool);
  }
  void check(Instant now) override {
    if (now >= until) signal.cancel();
  }

  Lane& lane;
  Endpoint& endpoint;
  const Instant until;
  asio::steady_timer signal;
  std::unique_ptr<http::Outbound> given;
  bool has_place = false;  ///< it may open a connection
};

/// Closes what rests too long or leads to a process that ends.
class Lane::Sweeper final : public http::Watched {
 public:
  explicit Sweeper(Lane& lane) : lane_(lane) {}
  ~Sweeper() { lane_.watch_->remove(*this); }
  void check(Instant now) override { lane_.sweep(now); }

 private:
  Lane& lane_;
};

Lane::Lane(asio::any_io_executor loop, const Clock& clock, LaneConfig config)
    : loop_(std::move(loop)),
      clock_(clock),
      config_(std::move(config)),
      watch_(std::make_shared<http::Watch>(loop_, clock, config_.tick)),
      sweeper_(std::make_unique<Sweeper>(*this)) {}

Lane::~Lane() = default;

std::size_t Lane::connections(const Endpoint& endpoint) const {
  const auto found = pools_.find(&endpoint);
  return found == pools_.end() ? 0 : found->second.open;
}

std::unique_ptr<http::Outbound> Lane::take_idle(Pool& pool) {
  while (!pool.idle.empty()) {
    // The one used last: the others may then grow old and be closed.
    std::unique_ptr<http::Outbound> connection = std::move(pool.idle.back());
    pool.idle.pop_back();
    if (connection->is_quiet()) return connection;
    --pool.open;
  }
  return nullptr;
}

std::optional<Lease> Lane::acquire_kept(EndpointPtr endpoint, Instant until,
                                        std::shared_ptr<http::Asker> asker) {
  const auto found = pools_.find(endpoint.get());
  if (found == pools_.end()) return std::nullopt;
  std::unique_ptr<http::Outbound> kept = take_idle(found->second);
  if (!kept) return std::nullopt;
  kept->begin(until, std::move(asker));
  return Lease{shared_from_this(), std::move(endpoint), std::move(kept), true};
}

runtime::Task<Result<Lease>> Lane::acquire(EndpointPtr endpoint, Instant until,
                                           std::shared_ptr<http::ClientSide> client) {
  const auto [place, is_new] = pools_.try_emplace(endpoint.get());
  if (is_new) known_.push_back(endpoint);
  Pool& pool = place->second;
  if (std::unique_ptr<http::Outbound> kept = take_idle(pool)) {
    kept->begin(until, std::move(client));
    co_return Lease{shared_from_this(), std::move(endpoint), std::move(kept), true};
  }
  if (pool.open < config_.connections_max) {
    ++pool.open;
    co_return co_await connect(std::move(endpoint), until, std::move(client));
  }
  if (pool.waiting.size() >= config_.waiting_max) co_return busy();
  bool may_open = false;
  {
    Waiter waiter{*this, *endpoint, until};
    boost::system::error_code ignored;
    co_await waiter.signal.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (waiter.given) {
      waiter.given->begin(until, std::move(client));
      co_return Lease{shared_from_this(), std::move(endpoint), std::move(waiter.given), true};
    }
    may_open = std::exchange(waiter.has_place, false);
  }
  if (!may_open) co_return late();
  co_return co_await connect(std::move(endpoint), until, std::move(client));
}

runtime::Task<Result<Lease>> Lane::connect(EndpointPtr endpoint, Instant until,
                                           std::shared_ptr<http::ClientSide> client) {
  const asio::ip::tcp::endpoint at = endpoint->at;
  // The lease comes first: it gives the place back however this ends.
  Lease lease{shared_from_this(), std::move(endpoint),
              std::make_unique<http::Outbound>(loop_, watch_, config_.answers), false};
  lease.connection().begin(std::min(until, clock_.monotonic() + config_.connect_timeout), std::move(client));
  EKIDEN_CO_CHECK(co_await lease.connection().connect(at));
  lease.connection().extend(until);
  co_return lease;
}

void Lane::give_back(Endpoint& endpoint, std::unique_ptr<http::Outbound> connection) {
  Pool& pool = pools_[&endpoint];
  if (!connection || !connection->is_reusable() || !endpoint.is_wanted()) {
    connection.reset();
    return free_place(pool);
  }
  connection->rest();
  if (!pool.waiting.empty()) {
    Waiter* next = pool.waiting.front();
    pool.waiting.pop_front();
    next->given = std::move(connection);
    next->signal.cancel();
    return;
  }
  pool.idle.push_back(std::move(connection));
  watch_->add(*sweeper_);
}

void Lane::free_place(Pool& pool) {
  if (pool.waiting.empty()) {
    --pool.open;
    return;
  }
  Waiter* next = pool.waiting.front();
  pool.waiting.pop_front();
  next->has_place = true;
  next->signal.cancel();
}

void Lane::sweep(Instant now) {
  constexpr std::chrono::milliseconds kEvery{500};
  if (now - swept_at_ < kEvery) return;
  swept_at_ = now;
  bool any_idle = false;
  for (const EndpointPtr& endpoint : known_) {
    Pool& pool = pools_[endpoint.get()];
    const bool is_wanted = endpoint->is_wanted();
    pool.open -= std::erase_if(pool.idle, [&](const auto& connection) {
      return !is_wanted || now - connection->resting_since() >= config_.idle_timeout;
    });
    any_idle = any_idle || !pool.idle.empty();
  }
  std::erase_if(known_, [this](const EndpointPtr& endpoint) {
    const Pool& pool = pools_[endpoint.get()];
    if (endpoint->is_listed() || pool.open > 0 || !pool.waiting.empty()) return false;
    pools_.erase(endpoint.get());
    return true;
  });
  if (!any_idle) watch_->remove(*sweeper_);
}

}  // namespace ekiden::gateway
