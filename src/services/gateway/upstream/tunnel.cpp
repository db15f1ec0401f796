#include "services/gateway/upstream/tunnel.hpp"

#include <array>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "http/problem.hpp"
#include "http/respond.hpp"
#include "http/text.hpp"

namespace ekiden::gateway {

namespace {

namespace asio = boost::asio;
using Socket = asio::ip::tcp::socket;
using runtime::Task;

constexpr std::size_t kRefusalMax = 64 * 1024;
constexpr int kSwitching = 101;

Task<bool> write_all(Socket& to, std::string_view bytes) {
  boost::system::error_code failed;
  co_await asio::async_write(to, asio::buffer(bytes.data(), bytes.size()),
                             asio::redirect_error(asio::use_awaitable, failed));
  co_return !failed;
}

/// One direction; says the end on when the other side has said it.
Task<> pump(Socket& from, Socket& to) {
  std::array<char, 16 * 1024> piece;
  boost::system::error_code failed;
  for (;;) {
    const std::size_t size =
        co_await from.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, failed));
    if (failed || !co_await write_all(to, {piece.data(), size})) break;
  }
  boost::system::error_code ignored;
  to.shutdown(Socket::shutdown_send, ignored);
  // A broken side will not read what comes for it: the other direction has no purpose either.
  if (failed && failed != asio::error::eof) from.close(ignored);
}

std::string head_of(const http::AnswerView& answer, std::string_view status_line) {
  std::string head(status_line);
  for (const http::FieldView& field : answer.fields()) {
    const bool is_framing = http::is_hop_by_hop(field.name, answer.connection) ||
                            http::equal_no_case(field.name, "Content-Length");
    if (is_framing) continue;
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  return head;
}

/// The process does not agree: its answer goes to the client, which may then try anew.
Task<> pass_refusal(http::Outbound& connection, Socket& client) {
  std::string head =
      head_of(connection.head(), "HTTP/1.1 " + std::to_string(connection.head().status) + " Refused\r\n");
  std::string body;
  while (!connection.body_done() && body.size() < kRefusalMax) {
    const Result<bool> more = co_await connection.read_body(body);
    if (!more) break;
  }
  head += "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  co_await write_all(client, head);
}

/// Counts a tunnel among the process's calls, so that new ones go elsewhere.
class InFlight {
 public:
  explicit InFlight(Endpoint& endpoint) : endpoint_(endpoint) { endpoint_.entered(); }
  ~InFlight() { endpoint_.exited(); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  Endpoint& endpoint_;
};

void keep_alive(Socket& socket) {
  boost::system::error_code ignored;
  // A side that has vanished without a word is found out by the kernel.
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
}

}  // namespace

bool wants_websocket(const http::Request& request) {
  return http::equal_no_case(request.headers.get("Upgrade").value_or(""), "websocket") &&
         http::has_token(request.headers.get("Connection").value_or(""), "upgrade");
}

Task<> run_tunnel(std::shared_ptr<Lane> lane, Trial& trial, Call call, Instant until,
                  http::UpgradedConnection client) {
  const EndpointPtr endpoint = trial.endpoint();
  const InFlight counted(*endpoint);
  http::Outbound connection(lane->loop(), lane->watch(), {});
  connection.begin(until, nullptr);
  const std::string handshake = call.head + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  Result<void> done = co_await connection.connect(endpoint->at);
  if (done) done = co_await connection.write(handshake);
  if (done) done = co_await connection.read_head(false);
  if (!done) {
    if (!connection.has_written()) trial.failed(lane->clock().monotonic());
    const Error error = done.error();
    co_await refuse_upgrade(std::move(client), error);
    co_return;
  }
  trial.succeeded();
  keep_alive(client.socket);
  if (connection.head().status != kSwitching) {
    co_await pass_refusal(connection, client.socket);
    co_return;
  }
  std::string head = head_of(connection.head(), "HTTP/1.1 101 Switching Protocols\r\n");
  head += "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  std::string early;
  Socket process = connection.release(early);
  keep_alive(process);
  head += early;
  if (!co_await write_all(client.socket, head)) co_return;
  if (!co_await write_all(process, client.early)) co_return;
  using boost::asio::experimental::awaitable_operators::operator&&;
  co_await (pump(client.socket, process) && pump(process, client.socket));
}

Task<> refuse_upgrade(http::UpgradedConnection client, Error error) {
  const http::Response response = http::problem(error, client.request.request_id);
  std::string text;
  http::append_head(text, response, static_cast<std::int64_t>(response.body.size()),
                    {.common = {}, .request_id = client.request.request_id, .keep_alive = false});
  text += response.body;
  co_await write_all(client.socket, text);
  boost::system::error_code ignored;
  client.socket.shutdown(Socket::shutdown_send, ignored);
}

}  // namespace ekiden::gateway
