#include "ports/redis_client/client.hpp"

#include <array>
#include <atomic>
#include <exception>
#include <stdexcept>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "ports/redis_client/call_queue.hpp"
#include "ports/redis_client/stream.hpp"

namespace ekiden::redis {
namespace {

namespace asio = boost::asio;

Error lost_error() {
  return {Errc::unavailable, "redis-lost", "the connection to Redis broke before the answer"};
}

/// What passes by itself is `unavailable`; the rest is a mistake of ours or of the set-up.
Error error_of(const std::string& text) {
  for (const std::string_view passing : {"LOADING", "BUSY", "READONLY", "MASTERDOWN", "OOM", "MISCONF",
                                         "NOREPLICAS", "TRYAGAIN", "CLUSTERDOWN"}) {
    if (text.starts_with(passing)) {
      return {Errc::unavailable, "redis-refuses", "Redis refuses for the time being: " + text};
    }
  }
  return {Errc::internal, "redis-error", "Redis says: " + text};
}

std::string run_id_of(const std::string& info) {
  constexpr std::string_view kField = "run_id:";
  const std::size_t at = info.find(kField);
  if (at == std::string::npos) throw std::runtime_error("the server does not tell its run id");
  const std::size_t begin = at + kField.size();
  return info.substr(begin, info.find_first_of("\r\n", begin) - begin);
}

/// Where a blocking call waits.
class Waiter {
 public:
  void set(Result<Reply> reply) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    reply_.emplace(std::move(reply));
    set_.notify_one();  // under the lock: the waiter's stack may go as soon as it is released
  }
  Result<Reply> wait() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (!reply_) set_.wait(mutex_);
    return *std::move(reply_);
  }

 private:
  Mutex mutex_;
  CondVar set_;
  std::optional<Result<Reply>> reply_ EKIDEN_GUARDED_BY(mutex_);
};

/// One connection, from its opening to its end. Lives on the loop.
struct Link {
  explicit Link(std::shared_ptr<Stream> to) : stream(std::move(to)) {}
  std::shared_ptr<Stream> stream;
  Parser parser{};
  std::string writing{};
  std::array<char, 1 << 16> reading{};
  bool is_open = false;  ///< the server has greeted
  bool is_writing = false;
};
using LinkPtr = std::shared_ptr<Link>;

}  // namespace

class Client::State {
 public:
  State(ClientConfig config, const Clock& clock, Random& random, const Logger& logger)
      : config_(std::move(config)), clock_(clock), random_(random), logger_(logger), queue_(config_, clock) {}

  void start() {
    asio::co_spawn(loop_, run(), [](const std::exception_ptr& fault) {
      if (fault) std::rethrow_exception(fault);
    });
    thread_ = std::jthread([this] { loop_.run(); });
  }

  void stop() {
    asio::post(loop_, [this] {
      stopping_ = true;
      retry_.cancel();
      overdue_.cancel();
      if (link_) link_->stream->close();
    });
    thread_.join();
  }

  template <class Write>
  void enter(CallQueue::Call call, const CallOptions& options, const Write& write) {
    const CallQueue::Entered entered = queue_.enter(call, options, write);
    if (entered.refused) return call.done(*entered.refused);
    if (entered.must_flush) asio::post(loop_, [this] { flush(); });
    if (entered.look_at) asio::post(loop_, [this, at = *entered.look_at] { look_at(at); });
  }

  const CallQueue& queue() const { return queue_; }

 private:
  asio::awaitable<void> run();
  asio::awaitable<void> greet(LinkPtr link);
  asio::awaitable<void> read(LinkPtr link);
  asio::awaitable<void> pause(int failures);
  void answer(Reply reply);
  void finish(Done& done, Result<Reply> reply) noexcept;
  void flush();
  void look_at(Instant at);
  void end_overdue();
  void lose(const std::string& fault);
  std::vector<Command> greeting() const;

  const ClientConfig config_;
  const Clock& clock_;
  Random& random_;
  const Logger logger_;
  CallQueue queue_;
  asio::io_context loop_{1};
  asio::steady_timer retry_{loop_};
  asio::steady_timer greeted_by_{loop_};
  asio::steady_timer overdue_{loop_};
  LinkPtr link_;
  bool stopping_ = false;
  bool told_away_ = false;
  std::jthread thread_;
};

asio::awaitable<void> Client::State::run() {
  int failures = 0;
  while (!stopping_) {
    std::string fault;
    try {
      link_ = std::make_shared<Link>(make_stream(loop_, config_.address, config_.ca_file));
      co_await greet(link_);
      failures = 0;
      co_await read(link_);
    } catch (const std::exception& failure) {
      fault = failure.what();
    }
    lose(fault);
    if (stopping_) break;
    co_await pause(++failures);
  }
}

std::vector<Command> Client::State::greeting() const {
  std::vector<Command> commands;
  const Address& address = config_.address;
  if (!address.password.empty()) {
    Command auth("AUTH");
    if (!address.user.empty()) auth.add(address.user);
    auth.add(address.password);
    commands.push_back(std::move(auth));
  }
  if (address.database != 0) {
    Command select("SELECT");
    select.add(address.database);
    commands.push_back(std::move(select));
  }
  commands.push_back(Command{"INFO", "server"});
  return commands;
}

asio::awaitable<void> Client::State::greet(LinkPtr link) {
  greeted_by_.expires_after(config_.connect_timeout);
  greeted_by_.async_wait([link](const boost::system::error_code& cancelled) {
    if (!cancelled && !link->is_open) link->stream->close();
  });
  co_await link->stream->open();
  const std::vector<Command> commands = greeting();
  for (const Command& command : commands) command.write(link->writing);
  link->is_writing = true;
  link->stream->write_all(asio::buffer(link->writing), [link](const boost::system::error_code& fault) {
    link->is_writing = false;
    if (fault) link->stream->close();
  });
  std::vector<Reply> replies;
  while (replies.size() < commands.size()) {
    const std::size_t got = co_await link->stream->read_some(asio::buffer(link->reading));
    const auto fed = link->parser.feed({link->reading.data(), got}, replies);
    if (!fed) throw std::runtime_error(fed.error().text());
  }
  for (const Reply& reply : replies) {
    // Never with the command: it may hold the password.
    if (reply.type == Reply::Type::error) throw std::runtime_error("the server refuses us: " + reply.text);
  }
  link->is_open = true;
  greeted_by_.cancel();
  told_away_ = false;
  std::string server = run_id_of(replies.back().text);
  logger_.info("redis_connected",
               {{"host", config_.address.host}, {"port", config_.address.port}, {"server", server}});
  queue_.open(std::move(server));
}

asio::awaitable<void> Client::State::read(LinkPtr link) {
  std::vector<Reply> replies;
  for (;;) {
    const std::size_t got = co_await link->stream->read_some(asio::buffer(link->reading));
    replies.clear();
    const auto fed = link->parser.feed({link->reading.data(), got}, replies);
    for (Reply& reply : replies) answer(std::move(reply));
    if (!fed) throw std::runtime_error(fed.error().text());
  }
}

void Client::State::answer(Reply reply) {
  auto call = queue_.take_answered();
  if (!call) throw std::runtime_error("an answer that nobody asked for");
  if (!call->done) return;
  if (reply.type != Reply::Type::error) return finish(call->done, std::move(reply));
  if (call->script && reply.text.starts_with("NOSCRIPT")) {
    const ScriptCall script = *std::move(call->script);
    call->script.reset();
    return enter(*std::move(call), {},
                 [&script](const CallQueue::Call&, std::string& out) { script.write_whole(out); });
  }
  finish(call->done, error_of(reply.text));
  // It was a primary and has become a replica: look for the primary anew.
  if (reply.text.starts_with("READONLY")) throw std::runtime_error(reply.text);
}

void Client::State::finish(Done& done, Result<Reply> reply) noexcept {
  try {
    done(std::move(reply));
  } catch (const std::exception& failure) {
    logger_.error("redis_callback_threw", {{"what", failure.what()}});
  }
}

void Client::State::flush() {
  const LinkPtr link = link_;
  if (!link || !link->is_open || link->is_writing || !queue_.take_bytes(link->writing)) return;
  link->is_writing = true;
  link->stream->write_all(asio::buffer(link->writing), [this, link](const boost::system::error_code& fault) {
    link->is_writing = false;
    if (fault) return link->stream->close();
    flush();
  });
}

void Client::State::look_at(Instant at) {
  overdue_.expires_after(at - clock_.monotonic());
  overdue_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) end_overdue();
  });
}

void Client::State::end_overdue() {
  CallQueue::Overdue overdue = queue_.take_overdue();
  for (Done& done : overdue.done) {
    finish(done, Error{Errc::timeout, "redis-timeout", "Redis did not answer in time"});
  }
  if (overdue.is_silent && link_) {
    link_->stream->close();
  } else if (overdue.look_at != Instant::max()) {
    look_at(overdue.look_at);
  }
}

void Client::State::lose(const std::string& fault) {
  greeted_by_.cancel();
  if (link_) link_->stream->close();
  link_.reset();
  std::vector<Done> waiting = queue_.close();
  if (!stopping_ && !std::exchange(told_away_, true)) {
    logger_.warning("redis_away", {{"host", config_.address.host},
                                   {"port", config_.address.port},
                                   {"fault", fault},
                                   {"calls", waiting.size()}});
  }
  for (Done& done : waiting) finish(done, lost_error());
}

asio::awaitable<void> Client::State::pause(int failures) {
  std::chrono::milliseconds wait = config_.retry_first;
  for (int i = 1; i < failures && wait < config_.retry_max; ++i) wait *= 2;
  wait = std::min(wait, config_.retry_max);
  // Between half and the whole: many clients of one server do not come back at the same moment.
  const auto half = static_cast<std::uint64_t>(wait.count()) / 2;
  retry_.expires_after(wait - std::chrono::milliseconds{random_.below(half + 1)});
  boost::system::error_code ignored;
  co_await retry_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

Client::Client(ClientConfig config, const Clock& clock, Random& random, const Logger& logger)
    : state_(std::make_unique<State>(std::move(config), clock, random, logger)) {
  state_->start();
}

Client::~Client() {
  state_->stop();
}

void Client::call(const Command& command, const CallOptions& options, Done done) {
  state_->enter({.deadline = {}, .done = std::move(done), .bytes = command.bytes()}, options,
                [&command](const CallQueue::Call&, std::string& out) { command.write(out); });
}

void Client::call(ScriptCall script, const CallOptions& options, Done done) {
  CallQueue::Call call{.deadline = {}, .done = std::move(done), .bytes = script.bytes()};
  call.script.emplace(std::move(script));
  state_->enter(std::move(call), options,
                [](const CallQueue::Call& asked, std::string& out) { asked.script->write_by_digest(out); });
}

Result<Reply> Client::run(const Command& command, const CallOptions& options) {
  Waiter waiter;
  call(command, options, [&waiter](Result<Reply> reply) { waiter.set(std::move(reply)); });
  return waiter.wait();
}

Result<Reply> Client::run(ScriptCall script, const CallOptions& options) {
  Waiter waiter;
  call(std::move(script), options, [&waiter](Result<Reply> reply) { waiter.set(std::move(reply)); });
  return waiter.wait();
}

std::string Client::server() const {
  return state_->queue().server();
}
bool Client::is_up() const {
  return figures().is_up;
}
bool Client::wait_until_up(Instant until) const {
  return state_->queue().wait_until_open(until);
}
ClientFigures Client::figures() const {
  return state_->queue().figures();
}

}  // namespace ekiden::redis
