#include "services/gateway/upstream/forward.hpp"

#include <algorithm>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/request_maker.hpp"
#include "http/respond.hpp"
#include "services/gateway/upstream/call_text.hpp"

namespace ekiden::gateway {

namespace {

namespace asio = boost::asio;
using runtime::Task;

bool has_body(const Call& call) {
  return !call.body.empty() || (call.client && call.client->has_body());
}

void append_framing(std::string& out, const Call& call) {
  const bool may_have =
      call.verb == http::Verb::post || call.verb == http::Verb::put || call.verb == http::Verb::patch;
  if (!has_body(call)) {
    if (may_have) append_field(out, "Content-Length", "0");
  } else if (!call.body.empty()) {
    append_field(out, "Content-Length", std::to_string(call.body.size()));
  } else if (const auto size = call.client->size()) {
    append_field(out, "Content-Length", std::to_string(*size));
  } else {
    append_field(out, "Transfer-Encoding", "chunked");
  }
}

/// Ends only by being cancelled.
Task<> wait_for_ever() {
  asio::steady_timer timer(co_await asio::this_coro::executor, Instant::max());
  co_await timer.async_wait(asio::use_awaitable);
}

/// Passes the client's body on as fast as both sides go. Ends only where the client fails: that the process
/// does not take it shows in its answer, or in that none comes.
Task<Result<void>> pass_body(Lease& lease, const Call& call, Duration stall, bool& is_whole) {
  http::Outbound& connection = lease.connection();
  const bool is_chunked = !call.client->size();
  std::string piece;
  std::string framed;
  for (bool more = true; more;) {
    piece.clear();
    EKIDEN_CO_TRY(more, co_await call.client->read(piece));
    framed.clear();
    if (is_chunked && !piece.empty()) http::append_chunk(framed, piece);
    if (is_chunked && !more) framed += "0\r\n\r\n";
    connection.extend(lease.clock().monotonic() + stall);
    const Result<void> sent = co_await connection.write(is_chunked ? framed : piece);
    if (!sent) co_await wait_for_ever();
  }
  is_whole = true;
  const Instant answered_by = lease.clock().monotonic() + call.timeout;
  connection.extend(call.states_deadline ? call.deadline.at() : std::max(call.deadline.at(), answered_by));
  co_await wait_for_ever();
  co_return Result<void>{};
}

/// A body that stays on its connection until it is asked for.
class PassedAnswer final : public http::BodyStream {
 public:
  PassedAnswer(Lease lease, Duration stall) : lease_(std::move(lease)), stall_(stall) {}

  Task<Result<bool>> read(std::string& piece) override {
    if (!lease_) co_return false;
    lease_->connection().extend(lease_->clock().monotonic() + stall_);
    EKIDEN_CO_TRY(const bool more, co_await lease_->connection().read_body(piece));
    if (more) {
      // While the client takes this, the process is not to blame.
      lease_->connection().extend(Instant::max());
    } else {
      lease_.reset();
    }
    co_return more;
  }

 private:
  std::optional<Lease> lease_;
  const Duration stall_;
};

/// The answer to HEAD: a length, and nothing behind it.
class NoBody final : public http::BodyStream {
 public:
  Task<Result<bool>> read(std::string&) override { co_return false; }
};

Task<Attempt> take_answer(Lease lease, const Call& call, Duration stall) {
  http::Outbound& connection = lease.connection();
  http::Response response = response_of(connection.head());
  const std::optional<std::int64_t> size = connection.body_size();
  if (call.verb == http::Verb::head) {
    response.flow = std::make_shared<NoBody>();
    response.stream_size = connection.head().content_length;
  } else if (size && *size <= kSmallBody) {
    response.body.reserve(static_cast<std::size_t>(*size));
    while (!connection.body_done()) {
      const Result<bool> more = co_await connection.read_body(response.body);
      if (!more) co_return Attempt{.answer = more.error(), .reach = Reach::answered};
    }
  } else {
    response = pass_answer(std::move(lease), stall);
  }
  co_return Attempt{.answer = std::move(response), .reach = Reach::answered};
}

std::string head_with_deadline(const Call& call, const Clock& clock) {
  std::string text;
  text.reserve(call.head.size() + call.body.size() + 48);
  text += call.head;
  // How long a body takes to send is not known: the time for the answer begins behind it.
  if (!call.deadline.is_never() && (!call.is_streamed || call.states_deadline)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(call.deadline.left(clock));
    append_field(text, http::kTimeoutHeader, std::to_string(std::max<std::int64_t>(left.count(), 1)));
  }
  text += "\r\n";
  return text;
}

Task<Attempt> forward_streamed(Lease lease, const Call& call, Duration stall) {
  using boost::asio::experimental::awaitable_operators::operator||;
  http::Outbound& connection = lease.connection();
  bool is_whole = false;
  connection.extend(lease.clock().monotonic() + stall);
  auto first = co_await (pass_body(lease, call, stall, is_whole) || connection.read_head(false));
  if (first.index() == 0) {
    const Result<void>& broken = std::get<0>(first);
    co_return Attempt{
        .answer = broken ? Error{Errc::internal, "internal", "a body ended twice"} : broken.error(),
        .reach = Reach::sent,
        .is_clients_fault = true};
  }
  const Result<void>& got = std::get<1>(first);
  if (!got) co_return failed(connection, got.error());
  // Behind a body that is not sent to its end no other request can follow.
  if (!is_whole) connection.spend();
  connection.extend(lease.clock().monotonic() + stall);
  co_return co_await take_answer(std::move(lease), call, stall);
}

}  // namespace

http::Response response_of(const http::AnswerView& head) {
  http::Response response;
  response.status = head.status;
  for (const http::FieldView& field : head.fields()) {
    if (goes_on(field, head)) response.headers.add(std::string(field.name), std::string(field.value));
  }
  return response;
}

Attempt failed(const http::Outbound& connection, Error error) {
  const bool is_gone = error.slug() == "client-gone";
  return {.answer = std::move(error),
          .reach = connection.got_bytes()     ? Reach::answered
                   : connection.has_written() ? Reach::sent
                                              : Reach::unsent,
          .is_clients_fault = is_gone};
}

http::Response pass_answer(Lease lease, Duration stall) {
  http::Response response = response_of(lease.connection().head());
  response.stream_size = lease.connection().body_size();
  response.flow = std::make_shared<PassedAnswer>(std::move(lease), stall);
  return response;
}

Call make_call(const http::Route& route, http::Request& request, const http::CallSigner& signer,
               Timestamp now) {
  Call call;
  call.verb = request.verb;
  call.client = request.client;
  call.body = std::move(request.body);
  call.deadline = request.deadline;
  call.timeout = route.timeout;
  call.states_deadline = request.headers.count(http::kTimeoutHeader) > 0;
  call.is_repeatable =
      request.verb == http::Verb::get || request.verb == http::Verb::head ||
      (route.idempotent == http::Idempotent::yes && request.headers.count("Idempotency-Key") == 1);
  const std::string& target = request.target.empty() ? request.path : request.target;
  std::string& head = call.head;
  head.reserve(1024);
  append_request(head, request.verb, target, request.headers.all(),
                 request.headers.get("Connection").value_or(""));
  if (!call.body.empty() && !request.headers.get("Content-Type"))
    append_field(head, "Content-Type", "application/json");
  append_field(head, "X-Request-Id", request.request_id);
  append_field(head, "traceparent", request.trace.to_traceparent());
  append_field(head, http::kInternalCallerHeader,
               signer.sign(request.verb, target, request.identity, request.client_address, now));
  append_framing(head, call);
  return call;
}

Task<Result<void>> take_small_body(Call& call) {
  if (!call.client || !call.client->has_body() || !call.body.empty()) co_return Result<void>{};
  call.is_streamed = call.client->size().value_or(kSmallBody + 1) > kSmallBody;
  if (call.is_streamed) co_return Result<void>{};
  for (bool more = true; more;) {
    EKIDEN_CO_TRY(more, co_await call.client->read(call.body));
  }
  co_return Result<void>{};
}

Task<Attempt> forward(Lease lease, const Call& call, Duration stall) {
  http::Outbound& connection = lease.connection();
  std::string text = head_with_deadline(call, lease.clock());
  text += call.body;
  const Result<void> sent = co_await connection.write(text);
  // A process may answer and close before it has taken everything.
  if (!sent && !connection.has_written()) co_return failed(connection, sent.error());
  if (call.is_streamed && sent) co_return co_await forward_streamed(std::move(lease), call, stall);
  const Result<void> got = co_await connection.read_head(call.verb == http::Verb::head);
  if (!got) co_return failed(connection, got.error());
  co_return co_await take_answer(std::move(lease), call, stall);
}

}  // namespace ekiden::gateway
