#include "http/connection.hpp"

#include <cerrno>
#include <cstring>

#include <boost/asio/buffer.hpp>
#include <sys/socket.h>

#include "http/problem.hpp"
#include "http/target.hpp"
#include "http/text.hpp"

namespace ekiden::http {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kBufferFirst = 2 * 1024;
constexpr std::size_t kIdleCapacityMax = 4 * 1024;
constexpr std::size_t kLingerBytesMax = 4 * 1024 * 1024;

}  // namespace

Connection::Connection(std::shared_ptr<Server::Core> core, Loop& loop, LoopSocket socket)
    : core_(std::move(core)), loop_(loop), socket_(std::move(socket)) {}

Connection::~Connection() {
  close();
}

void Connection::start() {
  boost::system::error_code failed;
  const auto peer = socket_.remote_endpoint(failed);
  if (failed) return;
  peer_ = peer.address();
  peer_text_ = to_text(peer_);
  socket_.set_option(asio::ip::tcp::no_delay(true), failed);
  socket_.non_blocking(true, failed);
  if (failed) return;
  loop_.add(*this);
  draining_ = loop_.draining;
  // A connection that says nothing is closed as soon as one that says too little.
  set_timeout(Phase::idle, core_->config.header_timeout);
  read();
}

void Connection::set_timeout(Phase phase, Duration timeout) {
  phase_ = phase;
  timeout_at_ = core_->clock.monotonic() + timeout;
}

bool Connection::make_room(std::size_t capacity_max) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ < buffer_.size()) return true;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    return true;
  }
  if (buffer_.size() >= capacity_max) return false;
  buffer_.resize(std::min(capacity_max, std::max(kBufferFirst, buffer_.size() * 2)));
  return true;
}

void Connection::widen(std::size_t size) {
  if (begin_ < end_ || buffer_.size() >= size) return;
  buffer_ = std::vector<char>(size);
  begin_ = end_ = 0;
}

void Connection::read() {
  if (reading_) return;
  // find_head() refuses a head before it fills this.
  if (!make_room(core_->config.framing.head_bytes_max + kBufferFirst)) return close();
  reading_ = true;
  socket_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
                          [self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
                            self->on_read(failed, size);
                          });
}

void Connection::on_read(boost::system::error_code failed, std::size_t size) {
  reading_ = false;
  if (phase_ == Phase::closed) return;
  if (failed) return close();
  take_input(size);
  // Counted last: who sees the count sees what the bytes have led to.
  loop_.figures.bytes_in.add(static_cast<std::int64_t>(size));
}

void Connection::take_input(std::size_t size) {
  if (phase_ == Phase::lingering) {
    begin_ = end_ = 0;
    lingered_ += size;
    return lingered_ > kLingerBytesMax ? close() : read();
  }
  // Bytes that came while a late answer is being written wait in the buffer.
  end_ += size;
  if (phase_ == Phase::writing) return;
  process();
}

void Connection::process() {
  while (phase_ != Phase::closed && take_request()) {
  }
}

void Connection::wait_for_head() {
  const bool is_empty = begin_ == end_;
  if (is_empty) {
    run_ = 0;
    if (draining_) return linger();
    if (buffer_.size() > kIdleCapacityMax && !reading_) {
      buffer_ = {};
      begin_ = end_ = 0;
    }
    if (phase_ != Phase::idle) {
      phase_ = Phase::idle;
      timeout_at_ = loop_.coarse_now() + core_->config.idle_timeout;
    }
  } else if (phase_ != Phase::head) {
    set_timeout(Phase::head, core_->config.header_timeout);
  }
  read();
}

bool Connection::take_request() {
  if (unread().starts_with("\r\n")) begin_ += 2;  // some clients send a line end behind a body
  std::size_t size = 0;
  if (!unread().empty()) {
    const auto [head_size, refusal] = find_head(unread(), core_->config.framing, searched_);
    if (refusal) return refuse(*refusal), false;
    size = head_size;
  }
  if (size == 0) {
    if (flush(After::go_on)) wait_for_head();
    return false;
  }
  searched_ = 0;
  phase_ = Phase::busy;
  timeout_at_ = Instant::max();
  HeadView& head = loop_.head;
  const std::string_view bytes = unread().substr(0, size);
  if (const auto refusal = parse_head(bytes, core_->config.framing, head)) return refuse(*refusal), false;
  ++run_;
  if (run_ > core_->config.pipelined_max || draining_ || loop_.sends_away) head.keep_alive = false;
  loop_.ids.write_uuid(loop_.wall_millis(), request_id_);
  if (!head.has_body() && !head.wants_upgrade) {
    switch (try_fast(size)) {
      case Fast::no:
        break;
      case Fast::answered:
        if (head.keep_alive) return true;
        flush(After::close);
        return false;
      case Fast::taken:
        return false;
    }
  }
  start_exchange(size);
  return false;
}

AnswerFrame Connection::frame_for(std::string_view id, bool keep_alive) const {
  return {.common = loop_.common(), .request_id = id, .keep_alive = keep_alive};
}

Fast Connection::try_fast(std::size_t head_size) {
  const HeadView& head = loop_.head;
  trace_.reset();
  drawn_.reset();
  if (!is_plain_path(head.path())) return Fast::no;
  const std::string_view id(request_id_.data(), request_id_.size());
  std::string forwarded;
  std::string_view client = peer_text_;
  if (!core_->config.trusted_proxies.empty()) {
    forwarded = client_of(head);
    client = forwarded;
  }
  FastReply& reply = loop_.reply;
  reply.clear();
  const std::shared_ptr<OpenRequest> open = shared_from_this();
  const FastRequest request{.head = head,
                            .client_address = client,
                            .request_id = id,
                            .timeout_max = core_->config.request_timeout_max,
                            .open = open};
  const Fast how = core_->dispatcher.try_fast(request, reply);
  if (how == Fast::taken) take(head_size);
  if (how != Fast::answered) return how;
  AnswerFrame frame = frame_for(id, head.keep_alive);
  frame.version_minor = head.version_minor;
  frame.is_head = head.verb == Verb::head;
  append_fast(out_, reply, frame);
  begin_ += head_size;
  loop_.figures.fast_answers.add();
  loop_.figures.count_status(reply.status);
  return Fast::answered;
}

std::string Connection::client_of(const HeadView& head) const {
  std::vector<std::string_view> forwarded;
  for (const FieldView& field : head.fields()) {
    if (equal_no_case(field.name, "X-Forwarded-For")) forwarded.push_back(field.value);
  }
  return client_address(peer_, forwarded, core_->config.trusted_proxies);
}

void Connection::refuse(const Refusal& refusal) {
  loop_.ids.write_uuid(loop_.wall_millis(), request_id_);
  const std::string_view id(request_id_.data(), request_id_.size());
  const Error error{Errc::malformed, std::string(refusal.slug), std::string(refusal.detail)};
  Response response = problem(refusal.status, error, id);
  if (!refusal.allow.empty()) response.headers.add("Allow", std::string(refusal.allow));
  append_head(out_, response, static_cast<std::int64_t>(response.body.size()), frame_for(id, false));
  out_ += response.body;
  loop_.figures.refused.add();
  loop_.figures.count_status(refusal.status);
  flush(After::close);
}

Connection::Sent Connection::try_send() {
  while (out_sent_ < out_.size()) {
    const ssize_t sent = ::send(socket_.native_handle(), out_.data() + out_sent_, out_.size() - out_sent_,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Sent::some : Sent::failed;
    out_sent_ += static_cast<std::size_t>(sent);
    loop_.figures.bytes_out.add(sent);
  }
  out_sent_ = 0;
  if (out_.capacity() > kIdleCapacityMax) {
    out_ = {};
  } else {
    out_.clear();
  }
  return Sent::all;
}

bool Connection::flush(After after) {
  switch (try_send()) {
    case Sent::all:
      if (after == After::close) linger();
      return true;
    case Sent::some:
      pace_start(Phase::writing);
      write_rest(after);
      return false;
    case Sent::failed:
      close();
      return false;
  }
  return false;
}

void Connection::write_rest(After after) {
  socket_.async_wait(LoopSocket::wait_write,
                     [self = shared_from_this(), after](boost::system::error_code failed) {
                       if (self->phase_ == Phase::closed) return;
                       if (failed) return self->close();
                       const std::size_t before = self->out_sent_;
                       switch (self->try_send()) {
                         case Sent::all:
                           if (after == After::close) return self->linger();
                           self->phase_ = Phase::busy;  // whatever comes next sets its own timeout
                           return self->process();
                         case Sent::some:
                           self->pace(self->out_sent_ - before);
                           return self->write_rest(after);
                         case Sent::failed:
                           return self->close();
                       }
                     });
}

void Connection::pace_start(Phase phase) {
  phase_ = phase;
  paced_since_ = core_->clock.monotonic();
  paced_bytes_ = 0;
  pace(0);
}

void Connection::pace(std::size_t bytes) {
  const ServerConfig& config = core_->config;
  paced_bytes_ += static_cast<std::int64_t>(bytes);
  const Duration patience = phase_ == Phase::writing ? config.write_timeout : config.body_timeout;
  const auto earned = std::chrono::milliseconds(paced_bytes_ * 1000 / config.bytes_per_second_min);
  // Late overall, or silent for long: a fast start does not buy a long silence.
  timeout_at_ = std::min(paced_since_ + patience + earned, core_->clock.monotonic() + patience);
}

void Connection::linger() {
  if (phase_ == Phase::closed) return;
  boost::system::error_code failed;
  socket_.shutdown(LoopSocket::shutdown_send, failed);
  if (failed) return close();
  // Closing with unread input would reset the connection and take the answer away from the client.
  set_timeout(Phase::lingering, core_->config.linger_timeout);
  read();
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  timeout_at_ = Instant::max();
  boost::system::error_code ignored;
  socket_.close(ignored);
  loop_.remove(*this);
  core_->on_connection_closed();
}

void Connection::check(Instant now) {
  if (now < timeout_at_) return;
  timeout_at_ = Instant::max();
  switch (phase_) {
    case Phase::closed:
    case Phase::busy:
      return;
    case Phase::idle:
    case Phase::lingering:
      return close();
    case Phase::head:
      loop_.figures.timeouts.add();
      return refuse({408, "request-timeout", "The request's headers took too long."});
    case Phase::body:
      loop_.figures.timeouts.add();
      timed_out_ = true;
      socket_.cancel();
      return;
    case Phase::writing:
      loop_.figures.timeouts.add();
      return close();
  }
}

void Connection::drain(bool now) {
  draining_ = true;
  if (now || phase_ == Phase::idle) close();
}

}  // namespace ekiden::http
