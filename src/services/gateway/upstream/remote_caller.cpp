#include "services/gateway/upstream/remote_caller.hpp"

#include <algorithm>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/target.hpp"
#include "services/gateway/upstream/discovery.hpp"
#include "services/gateway/upstream/short_call.hpp"
#include "services/gateway/upstream/tunnel.hpp"

namespace ekiden::gateway {

namespace {

namespace asio = boost::asio;
using runtime::Task;

constexpr std::size_t kHousekeepingMax = 1024;

Error nobody_there() {
  return Error{Errc::unavailable, "service-unreachable",
               "A part of Ekiden cannot be reached: try again in a moment."}
      .with_retry_after(std::chrono::seconds{1});
}

http::FramingLimits answer_limits() {
  http::FramingLimits limits;
  limits.fields_max = http::HeadView::kFieldsMax;
  return limits;
}

}  // namespace

/// What one loop has of its own.
struct RemoteCaller::Loop {
  Loop(const asio::any_io_executor& executor, const UpstreamConfig& config, std::size_t loops,
       const Clock& clock, const Logger& logger)
      : lane(std::make_shared<Lane>(
            executor, clock,
            LaneConfig{.connections_max = std::max<std::size_t>(config.connections_max / loops, 1),
                       .waiting_max = std::max<std::size_t>(config.waiting_max / loops, 1),
                       .connect_timeout = config.connect_timeout,
                       .idle_timeout = config.idle_timeout,
                       .tick = config.tick,
                       .answers = answer_limits()})),
        tunnels(executor, logger, config.tunnels_max),
        housekeeping(executor, logger, kHousekeepingMax) {}

  std::shared_ptr<Lane> lane;
  runtime::TaskGroup tunnels;
  runtime::TaskGroup housekeeping;
};

/// Questions to many processes that run at the same time, on the first loop.
struct RemoteCaller::Round {
  explicit Round(const asio::any_io_executor& loop) : done(loop, Instant::max()) {}
  std::size_t left = 0;
  std::vector<ProcessAnswer> answers;
  asio::steady_timer done;
};

RemoteCaller::RemoteCaller(UpstreamConfig config, const std::vector<asio::any_io_executor>& loops,
                           const http::CallSigner& signer, const Clock& clock, Random& random,
                           const Logger& logger, runtime::Metrics& metrics)
    : config_(std::move(config)),
      signer_(signer),
      clock_(clock),
      random_(random),
      logger_(logger.with("upstream")),
      metrics_(metrics) {
  for (const asio::any_io_executor& loop : loops)
    loops_.push_back(std::make_unique<Loop>(loop, config_, loops.size(), clock_, logger_));
  watch_ = std::make_shared<http::Watch>(loops.at(0), clock_, config_.tick);
}

RemoteCaller::~RemoteCaller() = default;

Result<void> RemoteCaller::add(std::string_view service, const std::vector<const http::Route*>& routes) {
  const auto configured = config_.addresses.find(service);
  if (configured == config_.addresses.end() || configured->second.empty())
    return Error{Errc::invalid, "no-address",
                 "nobody says where the service '" + std::string(service) + "' runs: set upstream." +
                     std::string(service),
                 "upstream"};
  std::vector<ServiceAddress> addresses;
  for (const std::string& text : configured->second) {
    EKIDEN_TRY(ServiceAddress address, ServiceAddress::parse(text));
    addresses.push_back(std::move(address));
  }
  auto& slot = upstreams_[std::string(service)];
  if (!slot)
    slot = std::make_shared<Upstream>(std::string(service), std::move(addresses), config_, random_, metrics_);
  for (const http::Route* route : routes) routes_[route] = slot;
  return {};
}

void RemoteCaller::start() {
  runtime::TaskGroup& tasks = loops_.front()->housekeeping;
  for (const auto& [name, upstream] : upstreams_) {
    tasks.spawn("resolve " + name, keep_resolving(upstream, config_.resolve_every, logger_));
    tasks.spawn("check " + name, keep_checking(upstream));
  }
}

void RemoteCaller::stop() {
  for (const auto& loop : loops_) {
    loop->housekeeping.stop_and_wait();
    loop->tunnels.stop_and_wait();
  }
}

Task<> RemoteCaller::keep_checking(std::shared_ptr<Upstream> upstream) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  runtime::TaskGroup& tasks = loops_.front()->housekeeping;
  for (;;) {
    // Each within its own time: one that hangs must not keep the others from being seen.
    for (const EndpointPtr& endpoint : upstream->endpoints.all())
      tasks.spawn("check " + endpoint->name, check_endpoint(watch_, endpoint, config_.check_every, logger_));
    timer.expires_after(config_.check_every);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

bool RemoteCaller::is_reachable(std::string_view service) const {
  const auto found = upstreams_.find(service);
  if (found == upstreams_.end()) return false;
  const Instant now = clock_.monotonic();
  return std::ranges::any_of(found->second->endpoints.all(), [now](const EndpointPtr& endpoint) {
    return endpoint->is_wanted() && endpoint->admits(now);
  });
}

RemoteCaller::Loop* RemoteCaller::loop_of(const asio::any_io_executor& executor) const {
  for (const auto& loop : loops_) {
    if (loop->lane->loop() == executor) return loop.get();
  }
  return nullptr;
}

Task<Result<http::Response>> RemoteCaller::call(const http::Route& route, http::Request request) {
  const auto found = routes_.find(&route);
  if (found == routes_.end()) co_return nobody_there();
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  if (const Loop* loop = loop_of(executor))
    co_return co_await call_on(loop->lane, found->second, route, std::move(request));
  if (request.client) throw std::logic_error("a request passes through on its own loop only");
  const std::shared_ptr<Lane> lane = loops_.front()->lane;
  Task<Result<http::Response>> there = call_on(lane, found->second, route, std::move(request));
  co_return co_await asio::co_spawn(lane->loop(), std::move(there), asio::use_awaitable);
}

Task<Result<http::Response>> RemoteCaller::call_on(std::shared_ptr<Lane> lane,
                                                   std::shared_ptr<Upstream> upstream,
                                                   const http::Route& route, http::Request request) {
  Call call = make_call(route, request, signer_, clock_.now());
  EKIDEN_CO_CHECK(co_await take_small_body(call));
  upstream->retries.earn();
  std::vector<EndpointPtr> tried;
  for (int attempts = 1;; ++attempts) {
    const EndpointPtr endpoint = upstream->endpoints.pick(clock_.monotonic(), tried);
    if (!endpoint) co_return nobody_there();
    Trial trial(endpoint);
    Attempt made = co_await attempt(lane, endpoint, call);
    judge(*upstream, trial, made, call.deadline);
    if (made.answer || attempts >= config_.attempts_max || !may_repeat(*upstream, call, made))
      co_return std::move(made.answer);
    upstream->retried.add();
    tried.push_back(endpoint);
  }
}

Task<Attempt> RemoteCaller::attempt(std::shared_ptr<Lane> lane, EndpointPtr endpoint, const Call& call) {
  const Instant until = call.deadline.at();
  Result<Lease> lease = co_await lane->acquire(endpoint, until, call.client);
  if (!lease) {
    const Error error = lease.error();
    co_return Attempt{.answer = error, .is_clients_fault = error.slug() == "client-gone"};
  }
  const bool was_kept = lease->was_kept();
  Attempt made = co_await forward(*std::move(lease), call, config_.stall_timeout);
  made.was_kept = was_kept;
  co_return made;
}

void RemoteCaller::judge(Upstream& upstream, Trial& trial, const Attempt& attempt, Deadline deadline) const {
  if (attempt.answer) {
    upstream.answered.add();
    return trial.succeeded();
  }
  const Errc code = attempt.answer.error().code();
  if (code == Errc::busy) return upstream.refused.add();
  if (attempt.is_clients_fault) return;
  if (code == Errc::timeout) {
    upstream.timed_out.add();
  } else if (attempt.reach == Reach::unsent) {
    upstream.unreachable.add();
  } else {
    upstream.broken.add();
  }
  // A client may ask for an answer within a millisecond: its deadline says nothing about the process. One
  // that hangs is found out by its health.
  if (code == Errc::timeout && deadline.passed(clock_)) return;
  // A kept connection that had been closed meanwhile is nobody's fault.
  if (attempt.was_kept && attempt.reach == Reach::sent && code != Errc::timeout) return;
  trial.failed(clock_.monotonic());
}

bool RemoteCaller::may_repeat(Upstream& upstream, const Call& call, const Attempt& made) const {
  const Errc code = made.answer.error().code();
  if (made.is_clients_fault || made.reach == Reach::answered || code == Errc::busy) return false;
  if (call.deadline.passed(clock_)) return false;
  if (made.reach == Reach::unsent) return true;
  return call.is_repeatable && !call.is_streamed && upstream.retries.spend();
}

std::shared_ptr<services::ReadyCall> RemoteCaller::prepare(const http::Route& route,
                                                           const http::FastRequest& request,
                                                           const std::optional<http::Identity>& identity,
                                                           services::ReadyCall::Done done) {
  const auto found = routes_.find(&route);
  const Loop* const loop = loop_of(request.open->loop());
  if (found == routes_.end() || loop == nullptr || !http::is_plain_query(request.head.raw_query()))
    return nullptr;
  return std::make_shared<ShortCall>(*this, loop->lane, found->second, route, request, identity,
                                     std::move(done));
}

std::optional<http::Upgrade> RemoteCaller::upgrade(const http::Route& route, const http::Request& request) {
  const auto found = routes_.find(&route);
  if (!route.websocket || found == routes_.end() || !wants_websocket(request)) return std::nullopt;
  return http::Upgrade{.take = [this, upstream = found->second, &route](http::UpgradedConnection client) {
    Loop* loop = loop_of(client.socket.get_executor());
    if (loop == nullptr) throw std::logic_error("a connection of a loop that the caller does not know");
    // Where as many tunnels are open as may be, the connection is closed by being dropped.
    loop->tunnels.spawn("tunnel", tunnel(loop->lane, upstream, route, std::move(client)));
  }};
}

Task<> RemoteCaller::tunnel(std::shared_ptr<Lane> lane, std::shared_ptr<Upstream> upstream,
                            const http::Route& route, http::UpgradedConnection client) {
  Call call = make_call(route, client.request, signer_, clock_.now());
  const EndpointPtr endpoint = upstream->endpoints.pick(clock_.monotonic(), {});
  if (!endpoint) {
    Error error = nobody_there();
    co_await refuse_upgrade(std::move(client), std::move(error));
    co_return;
  }
  Trial trial(endpoint);
  const Instant until = std::min(call.deadline.at(), clock_.monotonic() + route.timeout);
  co_await run_tunnel(std::move(lane), trial, std::move(call), until, std::move(client));
}

Task<> RemoteCaller::ask_process(std::string service, EndpointPtr endpoint, std::string target,
                                 Deadline deadline, std::shared_ptr<Round> round) {
  static const http::Route route{.verb = http::Verb::get, .pattern = "/internal", .handler = {}};
  http::Request question;
  question.path = std::move(target);
  question.deadline = deadline;
  const Call call = make_call(route, question, signer_, clock_.now());
  Attempt made = co_await attempt(loops_.front()->lane, endpoint, call);
  round->answers.push_back({std::move(service), endpoint->name, std::move(made.answer)});
  if (--round->left == 0) round->done.cancel();
}

Task<std::vector<ProcessAnswer>> RemoteCaller::call_all_here(std::string target, Deadline deadline,
                                                             std::size_t processes_max) {
  const auto round = std::make_shared<Round>(loops_.front()->lane->loop());
  for (const auto& [name, upstream] : upstreams_) {
    for (const EndpointPtr& endpoint : upstream->endpoints.all()) {
      if (round->left == processes_max) break;
      Task<> ask = ask_process(name, endpoint, target, deadline, round);
      ++round->left;
      if (!loops_.front()->housekeeping.spawn("ask " + endpoint->name, std::move(ask))) --round->left;
    }
  }
  boost::system::error_code ignored;
  if (round->left > 0) co_await round->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return std::move(round->answers);
}

Task<std::vector<ProcessAnswer>> RemoteCaller::call_all(std::string target, Deadline deadline,
                                                        std::size_t processes_max) {
  Task<std::vector<ProcessAnswer>> there = call_all_here(std::move(target), deadline, processes_max);
  co_return co_await asio::co_spawn(loops_.front()->lane->loop(), std::move(there), asio::use_awaitable);
}

}  // namespace ekiden::gateway
