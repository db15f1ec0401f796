#include <cerrno>

#include <sys/socket.h>

#include "http/body_stream.hpp"
#include "http/connection.hpp"
#include "http/problem.hpp"

// A request that passes through: its body is taken by the handler, piece by piece.
namespace ekiden::http {

class PassedRequest final : public ClientSide {
 public:
  PassedRequest(std::shared_ptr<Connection> connection, const HeadView& head, std::int64_t bytes_max)
      : connection_(std::move(connection)),
        has_body_(head.has_body()),
        expects_continue_(head.expects_continue) {
    if (!head.chunked) size_ = head.content_length.value_or(0);
    if (has_body_) reader_.emplace(head, bytes_max, false);
  }

  runtime::Task<Result<bool>> read(std::string& piece) override;
  bool has_body() const override { return has_body_; }
  std::optional<std::int64_t> size() const override { return size_; }
  bool is_gone() override;

  bool is_untouched() const { return !begun_; }
  bool is_read() const { return !has_body_ || (begun_ && !failed_ && reader_->done()); }

 private:
  runtime::Task<Result<void>> begin();

  const std::shared_ptr<Connection> connection_;
  const bool has_body_;
  const bool expects_continue_;
  std::optional<std::int64_t> size_;
  std::optional<BodyReader> reader_;
  bool begun_ = false;
  bool failed_ = false;
};

runtime::Task<Result<void>> PassedRequest::begin() {
  Connection& connection = *connection_;
  begun_ = true;
  if (expects_continue_ && connection.unread().empty() &&
      !co_await connection.write("HTTP/1.1 100 Continue\r\n\r\n")) {
    co_return Error{Errc::unavailable, "connection-lost", "The client has gone."};
  }
  connection.pace_start(Connection::Phase::body);
  co_return Result<void>{};
}

runtime::Task<Result<bool>> PassedRequest::read(std::string& piece) {
  if (!has_body_) co_return false;
  Connection& connection = *connection_;
  if (!begun_) {
    EKIDEN_CO_CHECK(co_await begin());
  } else if (connection.phase_ != Connection::Phase::closed) {
    connection.phase_ = Connection::Phase::body;
    connection.pace(0);
  }
  const std::size_t before = piece.size();
  failed_ = true;  // unless this returns: whoever is cut off in here leaves a body of which nobody knows
  while (!reader_->done() && piece.size() == before) {
    EKIDEN_CO_CHECK(co_await connection.read_piece(*reader_, piece));
  }
  failed_ = false;
  // Until it is asked again the client is not to blame.
  if (connection.phase_ != Connection::Phase::closed) connection.phase_ = Connection::Phase::busy;
  connection.timeout_at_ = Instant::max();
  co_return !reader_->done();
}

bool PassedRequest::is_gone() {
  if (connection_->phase_ == Connection::Phase::closed) return true;
  if (!connection_->unread().empty()) return false;
  char byte = 0;
  const ssize_t size = ::recv(connection_->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

runtime::Task<bool> Connection::answer_passing(Admitted admitted, Request request, HeadView& head) {
  const Result<void> good = check_body_headers(head, admitted.body);
  if (!good) {
    const bool keep_alive = head.keep_alive && skip_body(head);
    Response refused = problem(good.error(), request.request_id);
    co_return co_await send(std::move(refused), head, keep_alive);
  }
  const auto passed = std::make_shared<PassedRequest>(shared_from_this(), head, admitted.body.bytes_max);
  request.client = passed;
  Response response = co_await handle(*admitted.route, std::move(request));
  if (phase_ == Phase::closed) co_return false;
  phase_ = Phase::busy;
  timeout_at_ = Instant::max();
  bool keep_alive = head.keep_alive;
  if (passed->is_untouched()) {
    keep_alive = keep_alive && skip_body(head);
  } else {
    keep_alive = keep_alive && passed->is_read();
  }
  co_return co_await send(std::move(response), head, keep_alive);
}

}  // namespace ekiden::http
