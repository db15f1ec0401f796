#include <cerrno>
#include <limits>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <sys/socket.h>

#include "http/connection.hpp"
#include "http/gzip.hpp"
#include "http/request_maker.hpp"

// A request that the dispatcher has taken on: its answer comes later, without a coroutine of ours.
namespace ekiden::http {

namespace asio = boost::asio;

void Connection::take(std::size_t head_size) {
  const HeadView& head = loop_.head;
  taken_.head_size = head_size;
  taken_.keep_alive = head.keep_alive;
  taken_.version_minor = head.version_minor;
  taken_.takes_gzip = accepts_gzip(head.get("accept-encoding"));
  loop_.figures.in_flight.add();
}

const TraceContext& Connection::begin(const Route& route) {
  const HeadView& head = loop_.head;
  trace_ = begin_trace(head, core_->config, loop_.ids);
  const bool is_trusted = core_->config.is_internal || core_->config.trusted_proxies.contains(peer_);
  request_id_of_exchange_ = id_of(head, is_trusted, {request_id_.data(), request_id_.size()});
  taken_.route = &route;
  if (core_->config.spans != nullptr) taken_.start = core_->clock.now();
  return *trace_;
}

bool Connection::is_gone() {
  if (phase_ == Phase::closed) return true;
  // The head stays where it was until the answer: whatever else there is came behind it.
  if (unread().size() > taken_.head_size) return false;
  char byte = 0;
  const ssize_t size = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

std::size_t Connection::compress_from() const {
  return taken_.takes_gzip ? core_->config.gzip_bytes_min : std::numeric_limits<std::size_t>::max();
}

void Connection::close_taken(int status) {
  loop_.figures.in_flight.add(-1);
  record_span(*taken_.route, *trace_, taken_.start, status);
  trace_.reset();
  drawn_.reset();
}

void Connection::answer(const WholeAnswer& answer) {
  close_taken(answer.status);
  if (phase_ == Phase::closed) return;
  const bool keep_alive = taken_.keep_alive && !draining_ && !loop_.sends_away;
  AnswerFrame frame = frame_for(request_id_of_exchange_, keep_alive);
  frame.version_minor = taken_.version_minor;
  append_whole(out_, answer, frame);
  begin_ += taken_.head_size;
  loop_.figures.count_status(answer.status);
  if (keep_alive) return process();
  flush(After::close);
}

void Connection::answer(Response response) {
  close_taken(response.status);
  if (phase_ == Phase::closed) return;
  std::string head_bytes(unread().substr(0, taken_.head_size));
  begin_ += taken_.head_size;
  auto done = [self = shared_from_this()](const std::exception_ptr& failed) {
    if (!failed) return;
    static_cast<void>(self->failure(self->request_id_of_exchange_, failed));  // for its log line
    self->close();
  };
  asio::co_spawn(loop_.executor, send_taken(shared_from_this(), std::move(head_bytes), std::move(response)),
                 std::move(done));
}

runtime::Task<void> Connection::send_taken(std::shared_ptr<Connection> self, std::string head_bytes,
                                           Response response) {
  HeadView head;
  if (parse_head(head_bytes, self->core_->config.framing, head))
    throw std::logic_error("a head that was taken is refused");
  const bool keep_alive = co_await self->send(std::move(response), head, self->taken_.keep_alive);
  self->exchange_done(keep_alive);
}

void Connection::give_back() {
  loop_.figures.in_flight.add(-1);
  if (phase_ != Phase::closed) start_exchange(taken_.head_size);
}

}  // namespace ekiden::http
