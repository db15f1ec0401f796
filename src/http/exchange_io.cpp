#include <array>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/body_stream.hpp"
#include "http/connection.hpp"
#include "http/form_receiver.hpp"
#include "runtime/offload.hpp"

namespace ekiden::http {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kBodyBufferMax = 64 * 1024;
constexpr std::size_t kSpoolBytes = 256 * 1024;    ///< gathered before a write is handed to the pool
constexpr std::size_t kJoinBytesMax = 64 * 1024;   ///< a body up to this size goes out with its head
constexpr std::size_t kGzipOnLoopMax = 64 * 1024;  ///< about a millisecond of the loop's time

Error gone() {
  return Error{Errc::unavailable, "connection-lost", "The client has gone."};
}

}  // namespace

runtime::Task<Result<void>> Connection::read_body(Request& request, const HeadView& head,
                                                  const BodyPolicy& policy) {
  // The client waited for this: from here on nothing but the body's own bytes can refuse it.
  if (head.expects_continue && unread().empty()) {
    if (!co_await write("HTTP/1.1 100 Continue\r\n\r\n")) co_return gone();
  }
  BodyReader reader{head, policy.bytes_max};
  pace_start(Phase::body);
  Result<void> result;
  if (policy.kind == BodyKind::multipart) {
    result = co_await read_form(request, head, reader);
  } else {
    if (head.content_length) request.body.reserve(static_cast<std::size_t>(*head.content_length));
    while (result && !reader.done()) result = co_await read_piece(reader, request.body);
  }
  if (phase_ != Phase::closed) phase_ = Phase::busy;
  timeout_at_ = Instant::max();
  co_return result;
}

runtime::Task<Result<void>> Connection::read_piece(BodyReader& reader, std::string& piece) {
  if (!unread().empty()) {
    EKIDEN_CO_TRY(const std::size_t taken, reader.feed(unread(), piece));
    begin_ += taken;
    if (taken > 0) co_return Result<void>{};
  }
  co_return co_await read_more();
}

runtime::Task<Result<void>> Connection::read_into(BodyReader& reader, MultipartParser& parser,
                                                  FormReceiver& receiver) {
  if (!reader.is_plain()) {
    std::string piece;
    EKIDEN_CO_CHECK(co_await read_piece(reader, piece));
    co_return parser.feed(piece, receiver);
  }
  if (unread().empty()) {
    widen(std::min(kBodyBufferMax, reader.left()));
    EKIDEN_CO_CHECK(co_await read_more());
  }
  const std::string_view taken = reader.take_plain(unread());
  begin_ += taken.size();
  co_return parser.feed(taken, receiver);
}

runtime::Task<Result<void>> Connection::read_more() {
  if (phase_ == Phase::closed) co_return gone();
  if (!make_room(kBodyBufferMax))
    co_return Error{Errc::malformed, "bad-framing", "The body's chunks cannot be read."};
  phase_ = Phase::body;
  boost::system::error_code failed;
  const std::size_t size =
      co_await socket_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
                                       asio::redirect_error(asio::use_awaitable, failed));
  if (timed_out_)
    co_return Error{Errc::timeout, "request-timeout",
                    "The body came too slowly: at least 500 bytes a second."};
  // Called off by who was reading: the connection itself is whole.
  if (failed == asio::error::operation_aborted) co_return gone();
  if (failed) {
    close();
    co_return gone();
  }
  end_ += size;
  pace(size);
  loop_.figures.bytes_in.add(static_cast<std::int64_t>(size));
  co_return Result<void>{};
}

runtime::Task<Result<void>> Connection::read_form(Request& request, const HeadView& head,
                                                  BodyReader& reader) {
  EKIDEN_CO_TRY(MultipartParser parser,
                MultipartParser::make(head.get("content-type"), core_->config.multipart));
  // Shared with the job: the pool may still be writing when this coroutine is thrown away.
  auto receiver = std::make_shared<FormReceiver>(core_->config.spool_folder, request.request_id,
                                                 kSpoolBytes + kBodyBufferMax);
  while (!reader.done() || receiver->has_pending()) {
    if (!reader.done()) EKIDEN_CO_CHECK(co_await read_into(reader, parser, *receiver));
    if (receiver->pending_bytes() < kSpoolBytes && !reader.done()) continue;
    if (reader.done()) EKIDEN_CO_CHECK(parser.finish());
    if (!receiver->has_pending()) continue;
    phase_ = phase_ == Phase::closed ? phase_ : Phase::busy;
    std::move_only_function<Result<bool>()> job = [receiver] { return receiver->flush(); };
    EKIDEN_CO_CHECK(co_await runtime::offload(core_->offload, std::move(job)));
    if (phase_ == Phase::closed) co_return gone();
    pace(0);
  }
  EKIDEN_CO_CHECK(parser.finish());
  request.form = receiver->take();
  co_return Result<void>{};
}

runtime::Task<bool> Connection::write(std::string_view more) {
  out_ += more;
  if (phase_ == Phase::closed) co_return false;
  Sent sent = try_send();
  if (sent == Sent::some) pace_start(Phase::writing);
  while (sent == Sent::some) {
    boost::system::error_code failed;
    co_await socket_.async_wait(LoopSocket::wait_write, asio::redirect_error(asio::use_awaitable, failed));
    if (failed || phase_ == Phase::closed) break;
    const std::size_t before = out_sent_;
    sent = try_send();
    if (sent == Sent::some) pace(out_sent_ - before);
  }
  if (phase_ == Phase::closed) co_return false;
  if (sent != Sent::all) {
    close();
    co_return false;
  }
  phase_ = Phase::busy;
  timeout_at_ = Instant::max();
  co_return true;
}

runtime::Task<void> Connection::compress(Response& response, const HeadView& head) {
  const auto type = response.headers.get("Content-Type");
  if (response.stream || response.flow || !type || !is_compressible(*type) ||
      response.headers.get("Content-Encoding"))
    co_return;
  if (response.body.size() < core_->config.gzip_bytes_min) co_return;
  response.headers.add("Vary", "Accept-Encoding");
  if (!accepts_gzip(head.get("accept-encoding"))) co_return;
  std::string packed;
  if (response.body.size() <= kGzipOnLoopMax) {
    packed = loop_.deflater.gzip(response.body);
  } else {
    auto body = std::make_shared<std::string>(std::move(response.body));
    std::move_only_function<Result<std::string>()> job = [body] { return Deflater{}.gzip(*body); };
    Result<std::string> made = co_await runtime::offload(core_->offload, std::move(job));
    response.body = std::move(*body);
    if (!made) co_return;  // A busy pool costs bandwidth, not the answer.
    packed = *std::move(made);
  }
  response.body = std::move(packed);
  response.headers.add("Content-Encoding", "gzip");
}

runtime::Task<bool> Connection::send(Response response, const HeadView& head, bool keep_alive) {
  if (phase_ == Phase::closed) co_return false;
  co_await compress(response, head);
  if (phase_ == Phase::closed) co_return false;
  keep_alive = keep_alive && !draining_ && !loop_.sends_away;
  const bool is_stream = response.stream || response.flow;
  std::optional<std::int64_t> length = response.stream_size;
  if (!is_stream) length = static_cast<std::int64_t>(response.body.size());
  // HTTP/1.0 has no chunks: there a stream of unknown length ends with the connection.
  if (is_stream && !length && head.version_minor == 0) keep_alive = false;
  AnswerFrame frame = frame_for(request_id_of_exchange_, keep_alive);
  frame.version_minor = head.version_minor;
  append_head(out_, response, length, frame);
  loop_.figures.count_status(response.status);
  const bool has_no_body = head.verb == Verb::head || response.status == 204 || response.status == 304;
  if (is_stream && !has_no_body) {
    const bool is_chunked = !length && head.version_minor == 1;
    co_return co_await send_stream(std::move(response), is_chunked) && keep_alive;
  }
  if (has_no_body) response.body.clear();
  if (response.body.size() <= kJoinBytesMax) co_return co_await write(response.body) && keep_alive;
  if (!co_await write({})) co_return false;
  out_ = std::move(response.body);
  co_return co_await write({}) && keep_alive;
}

runtime::Task<Result<bool>> Connection::pull(Response& response, std::string& piece) {
  if (response.flow) co_return co_await response.flow->read(piece);
  // The job owns what it works on: this coroutine may be thrown away meanwhile.
  auto source = std::make_shared<BodySource>(std::move(*response.stream));
  auto made = std::make_shared<std::string>();
  std::move_only_function<Result<bool>()> job = [source, made] { return (*source)(*made); };
  const Result<bool> pulled = co_await runtime::offload(core_->offload, std::move(job));
  response.stream = std::move(*source);
  piece = std::move(*made);
  co_return pulled;
}

runtime::Task<bool> Connection::send_stream(Response response, bool is_chunked) {
  std::string piece;
  std::int64_t sent = 0;
  for (bool more = true; more;) {
    piece.clear();
    const Result<bool> pulled = co_await pull(response, piece);
    if (phase_ == Phase::closed) co_return false;
    if (!pulled) {
      // The status is out already: a body that visibly breaks off is all that can still be said.
      core_->logger.error("stream_failed",
                          {{"request_id", request_id_of_exchange_}, {"slug", pulled.error().slug()}});
      close();
      co_return false;
    }
    more = *pulled;
    sent += static_cast<std::int64_t>(piece.size());
    if (is_chunked && !piece.empty()) append_chunk(out_, piece);
    if (is_chunked && !more) out_ += "0\r\n\r\n";
    if (!co_await write(is_chunked ? std::string_view{} : std::string_view(piece))) co_return false;
  }
  if (response.stream_size && sent != *response.stream_size) {
    core_->logger.error("stream_size_wrong", {{"request_id", request_id_of_exchange_}, {"sent", sent}});
    close();
    co_return false;
  }
  co_return true;
}

}  // namespace ekiden::http
