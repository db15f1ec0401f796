#include "http/client.hpp"

#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <sys/socket.h>

namespace ekiden::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using Outgoing = beast::http::request<beast::http::string_body>;
using Incoming = beast::http::response_parser<beast::http::string_body>;

struct KeptConnection {
  explicit KeptConnection(const asio::any_io_executor& loop) : stream(loop) {}
  beast::tcp_stream stream;
  beast::flat_buffer buffer;
};

/// How a call on one connection ended.
struct Outcome {
  error_code failed;
  bool got_bytes = false;  ///< of an answer
};

Error error_of(error_code failed) {
  if (failed == beast::error::timeout)
    return Error{Errc::timeout, "upstream-timeout", "A part of Ekiden did not answer in time."};
  if (failed == beast::http::error::body_limit || failed == beast::http::error::header_limit)
    return Error{Errc::too_large, "upstream-too-large", "A part of Ekiden answered more than was asked for."};
  return Error{Errc::unavailable, "upstream-broken", "A part of Ekiden broke off."};
}

bool is_repeatable(Verb verb) {
  return verb != Verb::post && verb != Verb::patch;
}

/// False where the other side has closed a kept connection, or has said something unasked.
bool is_quiet(beast::tcp_stream& stream) {
  char byte = 0;
  const ssize_t size = ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

Outgoing make_outgoing(ClientRequest& request, const std::string& host) {
  Outgoing outgoing;
  outgoing.version(11);
  outgoing.method_string(std::string(to_string(request.verb)));
  outgoing.target(request.target);
  for (const auto& [name, value] : request.headers.all()) outgoing.insert(name, value);
  outgoing.set(beast::http::field::host, host);
  const bool has_body = !request.body.empty() || request.verb == Verb::post || request.verb == Verb::put ||
                        request.verb == Verb::patch;
  outgoing.body() = std::move(request.body);
  if (has_body) outgoing.content_length(outgoing.body().size());
  return outgoing;
}

ClientResponse make_response(Incoming& incoming) {
  auto& message = incoming.get();
  ClientResponse response;
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message)
    response.headers.add(std::string(field.name_string()), std::string(field.value()));
  response.body = std::move(message.body());
  return response;
}

runtime::Task<Outcome> exchange(KeptConnection& connection, const Outgoing& outgoing, Incoming& incoming) {
  Outcome outcome;
  co_await beast::http::async_write(connection.stream, outgoing,
                                    asio::redirect_error(asio::use_awaitable, outcome.failed));
  if (outcome.failed) co_return outcome;
  co_await beast::http::async_read(connection.stream, connection.buffer, incoming,
                                   asio::redirect_error(asio::use_awaitable, outcome.failed));
  outcome.got_bytes = incoming.got_some();
  co_return outcome;
}

}  // namespace

struct Client::Pool {
  Pool(asio::any_io_executor executor, ClientConfig settings)
      : loop(std::move(executor)),
        config(std::move(settings)),
        endpoint(asio::ip::make_address(config.address), config.port) {
    if (config.host.empty()) config.host = config.address + ":" + std::to_string(config.port);
  }

  /// A kept connection that still stands, or nullptr.
  std::unique_ptr<KeptConnection> take_idle() {
    while (!idle.empty()) {
      std::unique_ptr<KeptConnection> connection = std::move(idle.back());
      idle.pop_back();
      if (is_quiet(connection->stream)) return connection;
    }
    return nullptr;
  }

  runtime::Task<Result<std::unique_ptr<KeptConnection>>> connect(Deadline deadline) {
    auto connection = std::make_unique<KeptConnection>(loop);
    if (!deadline.is_never()) connection->stream.expires_at(deadline.at());
    error_code failed;
    co_await connection->stream.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, failed));
    if (failed == beast::error::timeout) co_return error_of(failed);
    if (failed)
      co_return Error{Errc::unavailable, "upstream-unreachable",
                      "A part of Ekiden cannot be reached at the moment."};
    connection->stream.socket().set_option(asio::ip::tcp::no_delay(true), failed);
    co_return connection;
  }

  void keep(std::unique_ptr<KeptConnection> connection) {
    if (idle.size() >= config.idle_max || connection->buffer.size() > 0) return;
    connection->stream.expires_never();
    idle.push_back(std::move(connection));
  }

  asio::any_io_executor loop;
  ClientConfig config;
  asio::ip::tcp::endpoint endpoint;
  std::vector<std::unique_ptr<KeptConnection>> idle;
  std::size_t in_flight = 0;
};

namespace {

/// Gives the place in flight back however a call ends.
struct Place {
  explicit Place(std::size_t& places) : count(places) { ++count; }
  ~Place() { --count; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  std::size_t& count;
};

}  // namespace

Client::Client(asio::any_io_executor loop, ClientConfig config)
    : pool_(std::make_shared<Pool>(std::move(loop), std::move(config))) {}

Client::~Client() = default;

runtime::Task<Result<ClientResponse>> Client::call(ClientRequest request, Deadline deadline) {
  const std::shared_ptr<Pool> pool = pool_;
  if (pool->in_flight >= pool->config.connections_max)
    co_return Error{Errc::busy, "upstream-busy", "Too many calls are under way: try again in a moment."};
  const Place place{pool->in_flight};
  const Verb verb = request.verb;
  const Outgoing outgoing = make_outgoing(request, pool->config.host);
  for (bool may_reuse = true;; may_reuse = false) {
    std::unique_ptr<KeptConnection> connection = may_reuse ? pool->take_idle() : nullptr;
    const bool is_reused = connection != nullptr;
    if (!connection) {
      EKIDEN_CO_TRY(connection, co_await pool->connect(deadline));
    } else if (!deadline.is_never()) {
      connection->stream.expires_at(deadline.at());
    }
    Incoming incoming;
    incoming.body_limit(pool->config.body_bytes_max);
    incoming.skip(verb == Verb::head);
    const Outcome outcome = co_await exchange(*connection, outgoing, incoming);
    if (!outcome.failed) {
      if (incoming.get().keep_alive()) pool->keep(std::move(connection));
      co_return make_response(incoming);
    }
    const bool is_stale = is_reused && !outcome.got_bytes && outcome.failed != beast::error::timeout;
    if (!is_stale || !is_repeatable(verb)) co_return error_of(outcome.failed);
  }
}

}  // namespace ekiden::http
