#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/message.hpp"
#include "runtime/task.hpp"

namespace ekiden::http {

/// Who may call. Checked before the handler runs.
enum class Auth : std::uint8_t {
  none,       ///< anyone; an identity is passed on where a valid token came along
  user,       ///< a signed-in person, or an API key with the route's scope
  organizer,  ///< organizer or admin
  admin,
  internal,  ///< other parts of Ekiden only: never reachable from the public address
};

enum class Idempotent : std::uint8_t {
  no,
  yes,  ///< takes `Idempotency-Key`: the same key and body is answered with the first answer
};

/// Which budget a call draws on (limits.* in the configuration).
enum class RateClass : std::uint8_t { read, write, upload, auth, none };
std::string_view to_string(RateClass rate_class);

enum class BodyKind : std::uint8_t { none, json, multipart };

/// What the body may be. Checked while it arrives: a larger one is refused with 413 and the connection
/// closed.
struct BodyPolicy {
  BodyKind kind = BodyKind::none;
  std::int64_t bytes_max = 0;  ///< of all that arrives, after decompression
  static BodyPolicy none() { return {}; }
  static BodyPolicy json(std::int64_t bytes_max = 64 * 1024) { return {BodyKind::json, bytes_max}; }
  static BodyPolicy multipart(std::int64_t bytes_max) { return {BodyKind::multipart, bytes_max}; }
};

/// For the OpenAPI document. Schemas are JSON texts, made by json::schema_of<T>() from the described structs
/// that the handler reads and writes, so that the document cannot drift from the code.
struct RouteDoc {
  std::string_view summary;
  std::string_view tag;
  std::string (*request_schema)() = nullptr;
  std::string (*response_schema)() = nullptr;
  int success_status = 200;
  std::vector<std::string_view> query_parameters{};  ///< names, with `*` behind the required ones
};

/// A handler of a thread-per-request service: blocks as it needs to.
using BlockingHandler = std::function<Result<Response>(Request&)>;
/// A handler of a coroutine or event-loop service. The request lives in the coroutine's frame.
using CoroutineHandler = std::function<runtime::Task<Result<Response>>(Request)>;
using Handler = std::variant<BlockingHandler, CoroutineHandler>;

/// A small answer, written straight into the connection's buffer.
struct FastReply {
  int status = 200;
  std::string_view content_type = "application/json";  ///< must outlive the call
  std::string headers;                                 ///< more header lines, each with its CRLF
  std::string body;
  void clear() {
    status = 200;
    content_type = "application/json";
    headers.clear();
    body.clear();
  }
};

/// What a fast handler may look at; views are good until it returns.
struct FastCall {
  std::span<const std::pair<std::string_view, std::string_view>> params;  ///< of the pattern
  std::string_view raw_query;
  const Identity& identity;
  std::string_view param(std::string_view name) const {
    for (const auto& [known, value] : params) {
      if (known == name) return value;
    }
    return {};
  }
};
/// Answers from memory, on the connection's loop, within microseconds: no store, no lock that is held for
/// long. False sends the request the long way, to `handler`, which must answer the same.
using FastHandler = std::function<bool(const FastCall&, FastReply&)>;

/// One row of a service's route table.
struct Route {
  Verb verb;
  std::string_view pattern;  ///< `/api/v1/gear/{id}`; a parameter is one whole segment
  Handler handler;
  Auth auth = Auth::user;
  RateClass rate_class = RateClass::read;
  BodyPolicy body{};
  Idempotent idempotent = Idempotent::no;
  std::string_view scope{};  ///< what an API key needs for it; empty: no API key is enough
  std::chrono::milliseconds timeout{10'000};
  RouteDoc doc{};
  FastHandler fast{};
  std::string_view lane{};  ///< of the service's thread pool; empty: its common threads
  bool websocket = false;   ///< a GET that may become a WebSocket: gateways then pass its bytes both ways
};

/// The values that a path gives to a pattern's parameters: views into the path and the pattern.
struct PathParams {
  std::array<std::pair<std::string_view, std::string_view>, 8> items;
  std::size_t size = 0;
  std::span<const std::pair<std::string_view, std::string_view>> view() const { return {items.data(), size}; }
};

/// Finds the row for a path. Built once from all tables; a pattern that stands twice, or two that differ only
/// in a parameter's name, throw std::logic_error at start-up. @threads any, after construction
class Router {
 public:
  struct Match {
    const Route* route = nullptr;
    std::vector<std::pair<std::string, std::string>> params;
  };
  struct Entry {
    std::string service;
    const Route* route;
  };
  explicit Router(std::vector<Entry> entries);
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  /// @errors not_found    no pattern fits the path.
  ///         unsupported  slug `method-not-allowed`: the path is known, the verb is not; `allow` names those
  ///         that are.
  Result<Match> find(Verb verb, std::string_view path, std::string* allow) const;
  /// The same without an allocation, for paths that are asked for often; nullptr where `find` has an error.
  const Route* match(Verb verb, std::string_view path, PathParams& params) const;
  std::string_view service_of(const Route& route) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
  std::vector<Entry> entries_;
};

/// The answer where Router::find() has an error: 404, 405 with Allow, or, to OPTIONS on a known path, 204
/// with Allow.
Response unrouted(const Error& error, Verb verb, const std::string& allow, std::string_view request_id);

}  // namespace ekiden::http
