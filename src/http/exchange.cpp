#include <exception>

#include <boost/asio/co_spawn.hpp>

#include "http/connection.hpp"
#include "http/problem.hpp"
#include "http/request_maker.hpp"

// One request that needs a coroutine: decide, read the body, handle, answer. Reading and writing:
// exchange_io.cpp.
namespace ekiden::http {

namespace asio = boost::asio;

void Connection::start_exchange(std::size_t head_size) {
  std::string head_bytes(unread().substr(0, head_size));
  begin_ += head_size;
  loop_.figures.in_flight.add();
  auto done = [self = shared_from_this()](const std::exception_ptr& failed) {
    // answer() keeps handlers' exceptions to itself: this one is the connection's own, and its state is not
    // known.
    self->loop_.figures.in_flight.add(-1);
    if (!failed) return;
    static_cast<void>(self->failure(self->request_id_of_exchange_, failed));  // for its log line
    self->close();
  };
  asio::co_spawn(loop_.executor, exchange(shared_from_this(), std::move(head_bytes)), std::move(done));
}

runtime::Task<void> Connection::exchange(std::shared_ptr<Connection> self, std::string head_bytes) {
  const bool keep_alive = co_await self->answer(head_bytes);
  self->exchange_done(keep_alive);
}

void Connection::exchange_done(bool keep_alive) {
  if (phase_ == Phase::closed) return;
  if (!keep_alive || draining_) return linger();
  phase_ = Phase::busy;
  process();
}

runtime::Task<bool> Connection::answer(std::string& head_bytes) {
  HeadView head;
  if (parse_head(head_bytes, core_->config.framing, head))
    throw std::logic_error("a head that was taken is refused");
  bool keep_alive = head.keep_alive && run_ <= core_->config.pipelined_max;
  const std::string id(request_id_.data(), request_id_.size());
  request_id_of_exchange_ = id;
  Arrival arrival{client_of(head), id, core_->config.trusted_proxies.contains(peer_),
                  std::exchange(trace_, std::nullopt)};
  Result<Request> request = make_request(head, std::move(arrival), core_->config, core_->clock, loop_.ids);
  if (!request) {
    keep_alive = keep_alive && skip_body(head);
    Response refused = problem(request.error(), id);
    co_return co_await send(std::move(refused), head, keep_alive);
  }
  head.keep_alive = keep_alive;
  request_id_of_exchange_ = request->request_id;
  if (drawn_) {
    request->has_drawn = true;
    request->answer_headers = *std::exchange(drawn_, std::nullopt);
  }
  Admission admission = co_await admit(*request);
  if (auto* response = std::get_if<Response>(&admission)) {
    keep_alive = keep_alive && skip_body(head);
    co_return co_await send(std::move(*response), head, keep_alive);
  }
  if (auto* taker = std::get_if<Upgrade>(&admission))
    co_return upgrade(std::move(*taker), *std::move(request), std::move(head_bytes));
  co_return co_await answer_admitted(std::get<Admitted>(admission), *std::move(request), head);
}

runtime::Task<bool> Connection::answer_admitted(Admitted admitted, Request request, HeadView& head) {
  if (admitted.passes) co_return co_await answer_passing(admitted, std::move(request), head);
  bool keep_alive = head.keep_alive;
  Result<void> body = check_body_headers(head, admitted.body);
  if (!body) {
    keep_alive = keep_alive && skip_body(head);
  } else if (head.has_body()) {
    const Instant begun = core_->clock.monotonic();
    body = co_await read_body(request, head, admitted.body);
    // A body may take as long as it keeps its least pace: the time for the answer begins with its end. Only a
    // client that says itself how long it waits means all of it.
    if (head.count(kTimeoutHeader) == 0 && !request.deadline.is_never())
      request.deadline = Deadline{request.deadline.at() + (core_->clock.monotonic() - begun)};
    // After a body that broke, nobody knows where the next request begins.
    keep_alive = keep_alive && body.has_value();
  }
  if (phase_ == Phase::closed) co_return false;
  if (!body) {
    Response refused = problem(body.error(), request.request_id);
    co_return co_await send(std::move(refused), head, keep_alive);
  }
  Response response = co_await handle(*admitted.route, std::move(request));
  co_return co_await send(std::move(response), head, keep_alive);
}

runtime::Task<Admission> Connection::admit(Request& request) {
  std::exception_ptr failed;
  try {
    co_return co_await core_->dispatcher.admit(request);
  } catch (...) {
    failed = std::current_exception();
  }
  co_return failure(request.request_id, failed);
}

runtime::Task<Response> Connection::handle(const Route& route, Request request) {
  const std::string id = request.request_id;
  const TraceContext trace = request.trace;
  const Timestamp start = core_->clock.now();
  std::exception_ptr failed;
  std::optional<Response> response;
  try {
    response = co_await core_->dispatcher.handle(route, std::move(request));
  } catch (...) {
    failed = std::current_exception();
  }
  if (failed) response = failure(id, failed);
  record_span(route, trace, start, response->status);
  co_return *std::move(response);
}

void Connection::record_span(const Route& route, const TraceContext& trace, Timestamp start,
                             int status) const {
  SpanSink* const spans = core_->config.spans;
  if (spans == nullptr || !spans->wants(trace)) return;
  constexpr int kServerError = 500;
  const std::string verb(to_string(route.verb));
  spans->record({.context = trace,
                 .kind = SpanKind::server,
                 .service = core_->config.service,
                 .name = verb + " " + std::string(route.pattern),
                 .start = start,
                 .end = core_->clock.now(),
                 .attributes = {{"http.request.method", verb},
                                {"http.route", std::string(route.pattern)},
                                {"http.response.status_code", std::to_string(status)}},
                 .error = status >= kServerError ? "status " + std::to_string(status) : ""});
}

Response Connection::failure(std::string_view request_id, std::exception_ptr error) const {
  std::string what = "unknown";
  try {
    std::rethrow_exception(std::move(error));
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {
    what = "not a std::exception";
  }
  core_->logger.error("request_failed", {{"request_id", request_id}, {"what", what}});
  return problem(Error{Errc::internal, "internal", what}, request_id);
}

bool Connection::skip_body(const HeadView& head) {
  if (!head.has_body()) return true;
  if (head.chunked || static_cast<std::int64_t>(unread().size()) < *head.content_length) return false;
  begin_ += static_cast<std::size_t>(*head.content_length);
  return true;
}

bool Connection::upgrade(Upgrade upgrade, Request request, std::string head_bytes) {
  UpgradedConnection taken{.socket = asio::ip::tcp::socket(std::move(socket_)),
                           .head = std::move(head_bytes),
                           .early = std::string(unread()),
                           .request = std::move(request)};
  close();
  upgrade.take(std::move(taken));
  return false;
}

}  // namespace ekiden::http
