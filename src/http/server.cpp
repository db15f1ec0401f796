#include "http/server.hpp"

#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/resource.h>

#include "http/connection.hpp"
#include "http/loop.hpp"

namespace ekiden::http {
namespace {

namespace asio = boost::asio;

LoopExecutor as_loop(const asio::any_io_executor& executor) {
  const auto* loop = executor.target<LoopExecutor>();
  if (loop == nullptr) throw std::logic_error("the server needs executors of io_contexts");
  return *loop;
}

std::size_t connections_that_fit(const ServerConfig& config) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return config.connections_max;
  const std::size_t descriptors = limit.rlim_cur;
  const std::size_t left =
      descriptors > config.spare_descriptors ? descriptors - config.spare_descriptors : 1;
  return std::min(config.connections_max, left);
}

}  // namespace

Server::Core::Core(ServerConfig server_config, const std::vector<asio::any_io_executor>& executors,
                   Dispatcher& dispatches, runtime::WorkerPool& blocking, const Clock& time, Random& random,
                   Logger log)
    : config(std::move(server_config)),
      dispatcher(dispatches),
      offload(blocking),
      clock(time),
      logger(std::move(log)),
      connections_max_(connections_that_fit(config)) {
  for (const asio::any_io_executor& executor : executors)
    loops_.push_back(std::make_unique<Loop>(*this, as_loop(executor), random));
}

std::shared_ptr<Server::Door> Server::Core::listen() {
  auto door = std::make_shared<Door>(loops_.front()->executor);
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(config.address), config.port);
  door->acceptor.open(endpoint.protocol());
  door->acceptor.set_option(asio::socket_base::reuse_address(true));
  door->acceptor.bind(endpoint);
  door->acceptor.listen(asio::socket_base::max_listen_connections);
  port_ = door->acceptor.local_endpoint().port();
  door_ = door;
  return door;
}

void Server::Core::start() {
  asio::post(loops_.front()->executor, [self = shared_from_this()] { self->accept(); });
}

void Server::Core::accept() {
  const auto door = door_.lock();
  if (draining_ || !door || !door->acceptor.is_open()) return;
  if (connections_ >= connections_max_) return pause_accepting(false);
  Loop& loop = *loops_[next_loop_++ % loops_.size()];
  door->acceptor.async_accept(loop.executor, [self = shared_from_this(), door, &loop](
                                                 boost::system::error_code failed, LoopSocket socket) {
    self->on_accept(failed, std::move(socket), loop);
  });
}

void Server::Core::on_accept(boost::system::error_code failed, LoopSocket socket, Loop& loop) {
  if (failed == asio::error::operation_aborted || draining_) return;
  if (failed == asio::error::no_descriptors || failed == asio::error::no_memory ||
      failed == asio::error::no_buffer_space || failed.value() == ENFILE)
    return pause_accepting(true);
  // Any other failure is one client's, gone before it was accepted.
  if (!failed) {
    ++connections_;
    auto connection = std::make_shared<Connection>(shared_from_this(), loop, std::move(socket));
    asio::dispatch(loop.executor, [connection] { connection->start(); });
  }
  accept();
}

void Server::Core::pause_accepting(bool descriptors_are_out) {
  accept_pauses_.add();
  accept_paused_ = true;
  logger.warning("accept_paused", {{"connections", static_cast<std::int64_t>(connections_.load())},
                                   {"descriptors_are_out", descriptors_are_out}});
  // One may have closed between the check and the flag; and descriptors also come back from elsewhere.
  constexpr std::chrono::milliseconds kRetry{100};
  const auto door = door_.lock();
  if (!door) return;
  door->retry.expires_after(kRetry);
  door->retry.async_wait([self = shared_from_this(), door](boost::system::error_code stopped) {
    if (!stopped) self->resume_accepting();
  });
}

void Server::Core::resume_accepting() {
  if (!accept_paused_.exchange(false)) return;
  if (const auto door = door_.lock()) door->retry.cancel();
  accept();
}

void Server::Core::on_connection_closed() {
  const std::size_t left = --connections_;
  const auto door = door_.lock();
  if (!door) return;  // and so, maybe, is the first loop
  if (accept_paused_)
    asio::post(loops_.front()->executor, [self = weak_from_this()] {
      if (auto core = self.lock()) core->resume_accepting();
    });
  if (left == 0 && draining_) asio::post(loops_.front()->executor, [door] { door->drained.cancel(); });
}

void Server::Core::send_away() {
  for (const auto& loop : loops_)
    asio::post(loop->executor, [each = loop.get(), self = shared_from_this()] { each->sends_away = true; });
}

runtime::Task<void> Server::Core::drain(Deadline deadline) {
  const asio::any_io_executor first = loops_.front()->executor;
  co_await asio::co_spawn(first, drain_here(deadline), asio::use_awaitable);
}

runtime::Task<void> Server::Core::drain_here(Deadline deadline) {
  const auto kept = shared_from_this();
  const auto door = door_.lock();
  if (!door) throw std::logic_error("a server that is gone cannot be drained");
  draining_ = true;
  boost::system::error_code ignored;
  door->acceptor.close(ignored);
  door->retry.cancel();
  door->drained.expires_at(deadline.at());
  const auto tell = [this](bool now) {
    for (const auto& loop : loops_)
      asio::post(loop->executor, [each = loop.get(), self = shared_from_this(), now] { each->drain(now); });
  };
  tell(false);
  if (connections_ > 0) co_await door->drained.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (connections_ == 0) co_return;
  logger.warning("drain_timed_out", {{"connections", static_cast<std::int64_t>(connections_.load())}});
  door->drained.expires_at(Instant::max());
  tell(true);
  if (connections_ > 0) co_await door->drained.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

ServerFigures Server::Core::figures() const {
  ServerFigures sum;
  sum.accept_pauses = accept_pauses_.get();
  for (const auto& loop : loops_) {
    const LoopFigures& each = loop->figures;
    sum.connections += each.connections.get();
    sum.in_flight += each.in_flight.get();
    sum.accepted += each.accepted.get();
    sum.fast_answers += each.fast_answers.get();
    sum.refused += each.refused.get();
    sum.timeouts += each.timeouts.get();
    sum.bytes_in += each.bytes_in.get();
    sum.bytes_out += each.bytes_out.get();
    for (std::size_t i = 0; i < sum.by_class.size(); ++i) sum.by_class[i] += each.by_class[i].get();
  }
  return sum;
}

Server::Server(ServerConfig config, std::vector<asio::any_io_executor> loops, Dispatcher& dispatcher,
               runtime::WorkerPool& blocking, const Clock& clock, Random& random, Logger logger)
    : core_(std::make_shared<Core>(std::move(config), loops, dispatcher, blocking, clock, random,
                                   std::move(logger))),
      door_(core_->listen()) {}

Server::~Server() = default;

void Server::start() {
  core_->start();
}
void Server::send_away() {
  core_->send_away();
}
std::uint16_t Server::port() const {
  return core_->port();
}
runtime::Task<void> Server::drain(Deadline deadline) {
  return core_->drain(deadline);
}
ServerFigures Server::figures() const {
  return core_->figures();
}

}  // namespace ekiden::http
