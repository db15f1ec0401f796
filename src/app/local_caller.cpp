#include "app/local_caller.hpp"

#include <exception>
#include <type_traits>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/offload.hpp"
#include "runtime/timeout.hpp"

namespace ekiden::app {

namespace {

using runtime::Task;

Error too_busy() {
  return Error{Errc::busy, "busy", "this service has as much to do as it can take: try again in a moment"}
      .with_retry_after(std::chrono::seconds{1});
}

/// The handler's answer; what it throws is logged and becomes `internal`.
Task<Result<http::Response>> guarded(const http::CoroutineHandler& handler, http::Request request,
                                     Logger logger, std::string_view pattern) {
  std::string reason;
  try {
    co_return co_await handler(std::move(request));
  } catch (const std::exception& thrown) {
    reason = thrown.what();
  }
  logger.error("handler_threw", {{"route", pattern}, {"what", reason}});
  co_return Error{Errc::internal, "internal", "something went wrong here; it has been logged"};
}

Task<Result<http::Response>> on_loop(boost::asio::any_io_executor executor,
                                     Task<Result<http::Response>> work) {
  co_return co_await boost::asio::co_spawn(executor, std::move(work), boost::asio::use_awaitable);
}

}  // namespace

ServiceHost::ServiceHost(std::string_view service, const runtime::Model& model, const Clock& clock,
                         const Logger& logger, runtime::FiguresRegistry& figures)
    : logger_(logger) {
  runtime::ExecutorLabel label{.service = std::string(service), .name = "requests"};
  if (const auto* threads = std::get_if<runtime::ThreadPool>(&model)) {
    pools_[""] = std::make_unique<runtime::ThreadPoolExecutor>(std::move(label), *threads, logger, figures);
    for (const auto& [name, count, queue_max] : threads->lanes) {
      pools_[std::string(name)] = std::make_unique<runtime::ThreadPoolExecutor>(
          runtime::ExecutorLabel{std::string(service), std::string(name)},
          runtime::ThreadPool{.threads = count, .queue_max = queue_max}, logger, figures);
    }
  } else if (const auto* coroutines = std::get_if<runtime::Coroutines>(&model)) {
    loops_ =
        std::make_unique<runtime::CoroutineExecutor>(std::move(label), *coroutines, clock, logger, figures);
  } else if (const auto* loops = std::get_if<runtime::EventLoop>(&model)) {
    loops_ = std::make_unique<runtime::EventLoopExecutor>(std::move(label), *loops, clock, logger, figures);
  } else {
    loops_ = std::make_unique<runtime::AsyncConsumerExecutor>(
        std::move(label), std::get<runtime::AsyncConsumer>(model), clock, logger, figures);
  }
}

ServiceHost::~ServiceHost() = default;

bool ServiceHost::has_lane(std::string_view lane) const {
  return lane.empty() || pools_.contains(lane);
}

void ServiceHost::stop() {
  for (const auto& [lane, pool] : pools_) pool->stop();
  if (loops_) loops_->stop();
}

Task<Result<http::Response>> ServiceHost::run(const http::Route& route, http::Request request) {
  const Deadline deadline = request.deadline;
  if (const auto* blocking = std::get_if<http::BlockingHandler>(&route.handler)) {
    // A service of this model has a pool, and the route's lane: the tables are checked when it is added.
    runtime::WorkerPool& pool = *pools_.find(route.lane)->second;
    auto work = [blocking, request = std::move(request)]() mutable { return (*blocking)(request); };
    Task<Result<http::Response>> job = runtime::offload(pool, std::move(work));
    co_return co_await runtime::with_deadline(std::move(job), deadline);
  }
  const auto& handler = std::get<http::CoroutineHandler>(route.handler);
  if (loops_->is_own_thread())
    co_return co_await guarded(handler, std::move(request), logger_, route.pattern);
  const std::size_t loop = next_loop_.fetch_add(1, std::memory_order_relaxed) % loops_->loops();
  const runtime::InFlightSlot slot = loops_->try_enter(loop);
  if (!slot) co_return too_busy();
  Task<Result<http::Response>> work = guarded(handler, std::move(request), logger_, route.pattern);
  Task<Result<http::Response>> there = on_loop(loops_->executor(loop), std::move(work));
  co_return co_await runtime::with_deadline(std::move(there), deadline);
}

void LocalCaller::add(const services::ServiceSpec& spec, ServiceHost& host) {
  const bool is_pool = std::holds_alternative<runtime::ThreadPool>(spec.model);
  for (const http::Route& route : spec.routes) {
    if (std::holds_alternative<http::BlockingHandler>(route.handler) != is_pool) {
      throw std::logic_error(std::string(route.pattern) + " has a handler of another model than its service");
    }
    if (!host.has_lane(route.lane)) {
      throw std::logic_error(std::string(route.pattern) + " names a lane that its service's model has not");
    }
    hosts_[&route] = &host;
  }
  services_[std::string(spec.name)] = true;
}

Task<Result<http::Response>> LocalCaller::call(const http::Route& route, http::Request request) {
  const auto found = hosts_.find(&route);
  if (found == hosts_.end() && elsewhere_ != nullptr)
    co_return co_await elsewhere_->call(route, std::move(request));
  if (found == hosts_.end())
    co_return Error{Errc::unavailable, "service-not-here", "this service does not run here"};
  co_return co_await found->second->run(route, std::move(request));
}

bool LocalCaller::is_reachable(std::string_view service) const {
  return services_.contains(service) || (elsewhere_ != nullptr && elsewhere_->is_reachable(service));
}

bool LocalCaller::passes(const http::Route& route) const {
  return elsewhere_ != nullptr && elsewhere_->passes(route);
}

std::optional<http::Upgrade> LocalCaller::upgrade(const http::Route& route, const http::Request& request) {
  if (elsewhere_ == nullptr) return std::nullopt;
  return elsewhere_->upgrade(route, request);
}

}  // namespace ekiden::app
