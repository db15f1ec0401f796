#include "http/outbound.hpp"

#include <cerrno>
#include <cstring>
#include <limits>
#include <stdexcept>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/socket.h>

namespace ekiden::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kBufferFirst = 4 * 1024;
constexpr std::size_t kBufferMax = 64 * 1024;
constexpr std::chrono::seconds kClientCheckEvery{1};

LoopExecutor as_loop(const asio::any_io_executor& executor) {
  const auto* loop = executor.target<LoopExecutor>();
  if (loop == nullptr) throw std::logic_error("an outbound connection needs the executor of an io_context");
  return *loop;
}

Error unreachable() {
  return {Errc::unavailable, "upstream-unreachable", "A part of Ekiden cannot be reached at the moment."};
}
Error broken() {
  return {Errc::unavailable, "upstream-broken", "A part of Ekiden broke off before it had answered."};
}

}  // namespace

Outbound::Outbound(const asio::any_io_executor& loop, std::shared_ptr<Watch> watch, FramingLimits limits)
    : socket_(as_loop(loop)), watch_(std::move(watch)), limits_(std::move(limits)) {}

Outbound::~Outbound() {
  watch_->remove(*this);
}

void Outbound::begin(Instant until, std::shared_ptr<Asker> client) {
  until_ = until;
  client_ = std::move(client);
  client_seen_at_ = Instant{};
  got_bytes_ = false;
  has_written_ = false;
  body_done_ = false;
  searched_ = 0;
  watch_->add(*this);
}

void Outbound::rest() {
  watch_->remove(*this);
  client_.reset();
  resting_since_ = watch_->clock().monotonic();
}

void Outbound::check(Instant now) {
  if (ended_) return;
  if (now >= until_)
    return end(Error{Errc::timeout, "upstream-timeout", "A part of Ekiden did not answer in time."});
  if (!client_) return;
  // A system call each: not for every tick of thousands that wait.
  if (client_seen_at_ == Instant{}) client_seen_at_ = now;
  if (now - client_seen_at_ < kClientCheckEvery) return;
  client_seen_at_ = now;
  if (client_->is_gone()) end(Error{Errc::unavailable, "client-gone", "The client has gone."});
}

void Outbound::end(std::optional<Error> reason) {
  if (!ended_) ended_ = reason ? *std::move(reason) : broken();
  error_code ignored;
  socket_.close(ignored);
}

Error Outbound::failure(bool may_have_happened) const {
  if (ended_ && ended_->slug() != "upstream-broken") return *ended_;
  return may_have_happened ? broken() : unreachable();
}

runtime::Task<Result<void>> Outbound::connect(asio::ip::tcp::endpoint to) {
  error_code failed;
  co_await socket_.async_connect(to, asio::redirect_error(asio::use_awaitable, failed));
  if (failed || ended_) {
    const Error why = failure(false);
    end({});
    co_return why;
  }
  socket_.set_option(asio::ip::tcp::no_delay(true), failed);
  socket_.non_blocking(true, failed);
  co_return Result<void>{};
}

runtime::Task<Result<void>> Outbound::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (ended_) co_return failure(has_written_);
    const ssize_t sent =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      has_written_ = true;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) co_return failure(true);
    error_code failed;
    co_await socket_.async_wait(LoopSocket::wait_write, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return failure(true);
  }
  co_return Result<void>{};
}

bool Outbound::make_room(std::size_t capacity_max) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size() && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    if (buffer_.size() >= capacity_max) return false;
    buffer_.resize(std::min(capacity_max, std::max(kBufferFirst, buffer_.size() * 4)));
  }
  return true;
}

Result<void> Outbound::note_input(error_code failed, std::size_t size) {
  if (failed) {
    eof_ = failed == asio::error::eof;
    const Error why = failure(true);
    end({});
    return why;
  }
  got_bytes_ = true;
  end_ += size;
  return {};
}

runtime::Task<Result<void>> Outbound::fill(std::size_t capacity_max) {
  if (ended_ || !make_room(capacity_max)) co_return failure(true);
  error_code failed;
  const std::size_t size =
      co_await socket_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
                                       asio::redirect_error(asio::use_awaitable, failed));
  co_return note_input(failed, size);
}

bool Outbound::send_now(std::string_view bytes) {
  if (ended_) return false;
  const ssize_t sent =
      ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  has_written_ = has_written_ || sent > 0;
  return sent == static_cast<ssize_t>(bytes.size());
}

void Outbound::receive(std::shared_ptr<Receiver> receiver) {
  if (ended_ || !make_room(limits_.head_bytes_max + kBufferFirst)) return receiver->received(failure(true));
  socket_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
                          [this, receiver = std::move(receiver)](error_code failed, std::size_t size) {
                            receiver->received(note_input(failed, size));
                          });
}

Result<bool> Outbound::take_head(bool to_head) {
  constexpr int kSwitching = 101;
  do {
    const auto [size, refusal] = find_head(unread(), limits_, searched_);
    if (!refusal && size == 0) return false;
    searched_ = 0;
    if (refusal || parse_answer_head(unread().substr(0, size), limits_, head_)) {
      end({});
      return broken();
    }
    begin_ += size;
  } while (head_.status < 200 && head_.status != kSwitching);
  start_body(to_head);
  return true;
}

runtime::Task<Result<void>> Outbound::read_head(bool to_head) {
  for (;;) {
    EKIDEN_CO_TRY(const bool is_whole, take_head(to_head));
    if (is_whole) co_return Result<void>{};
    EKIDEN_CO_CHECK(co_await fill(limits_.head_bytes_max + kBufferFirst));
  }
}

void Outbound::start_body(bool to_head) {
  keep_alive_ = head_.keep_alive;
  chunks_.reset();
  length_left_ = head_.content_length.value_or(0);
  const int status = head_.status;
  if (to_head || status == 204 || status == 304 || status < 200) {
    body_ = Body::none;
  } else if (head_.chunked) {
    body_ = Body::chunked;
    HeadView frame;
    frame.chunked = true;
    chunks_.emplace(frame, std::numeric_limits<std::int64_t>::max(), false);
  } else if (head_.content_length) {
    body_ = length_left_ > 0 ? Body::length : Body::none;
  } else {
    body_ = Body::to_end;
    keep_alive_ = false;
  }
  body_done_ = body_ == Body::none;
}

std::optional<std::int64_t> Outbound::body_size() const {
  switch (body_) {
    case Body::none:
      return 0;
    case Body::length:
      return head_.content_length;
    case Body::chunked:
    case Body::to_end:
      break;
  }
  return std::nullopt;
}

bool Outbound::take_length(std::string& piece) {
  const auto size = static_cast<std::size_t>(
      std::min<std::int64_t>(length_left_, static_cast<std::int64_t>(unread().size())));
  piece += unread().substr(0, size);
  begin_ += size;
  length_left_ -= static_cast<std::int64_t>(size);
  body_done_ = length_left_ == 0;
  return size > 0;
}

runtime::Task<Result<bool>> Outbound::read_body(std::string& piece) {
  const std::size_t before = piece.size();
  while (!body_done_ && piece.size() == before) {
    if (body_ == Body::length && take_length(piece)) break;
    if (body_ == Body::chunked && !unread().empty()) {
      const auto taken = chunks_->feed(unread(), piece);
      if (!taken) {
        end({});
        co_return broken();
      }
      begin_ += *taken;
      body_done_ = chunks_->done();
      if (body_done_ || *taken > 0) continue;
    }
    if (body_ == Body::to_end && !unread().empty()) {
      piece += unread();
      begin_ = end_;
      break;
    }
    const Result<void> more = co_await fill(kBufferMax);
    if (more) continue;
    // Without a length the end of the connection is the end of the body.
    if (body_ != Body::to_end || !eof_) co_return more.error();
    body_done_ = true;
  }
  co_return !body_done_;
}

bool Outbound::is_reusable() const {
  return !ended_ && keep_alive_ && body_done_ && begin_ == end_;
}

bool Outbound::is_quiet() {
  if (ended_) return false;
  char byte = 0;
  const ssize_t size = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

asio::ip::tcp::socket Outbound::release(std::string& early) {
  watch_->remove(*this);
  client_.reset();
  early.assign(unread());
  return asio::ip::tcp::socket(std::move(socket_));
}

}  // namespace ekiden::http
