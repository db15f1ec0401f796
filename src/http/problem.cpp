#include "http/problem.hpp"

#include <array>
#include <utility>

#include "base/logger.hpp"

namespace ekiden::http {
namespace {

using Phrase = std::pair<int, std::string_view>;
constexpr auto kPhrases = std::to_array<Phrase>({
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
});

}  // namespace

int status_of(Errc code) {
  switch (code) {
    case Errc::malformed:
      return 400;
    case Errc::invalid:
      return 422;
    case Errc::unauthenticated:
      return 401;
    case Errc::forbidden:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::conflict:
      return 409;
    case Errc::gone:
      return 410;
    case Errc::precondition_failed:
      return 412;
    case Errc::precondition_required:
      return 428;
    case Errc::too_large:
      return 413;
    case Errc::unsupported:
      return 415;
    case Errc::limited:
      return 429;
    case Errc::storage_full:
      return 507;
    case Errc::busy:
      return 503;
    case Errc::timeout:
      return 504;
    case Errc::unavailable:
      return 503;
    case Errc::internal:
      return 500;
  }
  return 500;
}

Response problem(const Error& error, std::string_view request_id) {
  // `unsupported` tells of media types and of methods alike; only the slug keeps the two apart.
  if (error.code() == Errc::unsupported && error.slug() == "method-not-allowed")
    return problem(405, error, request_id);
  // Likewise whether it was the client or the server that took too long.
  if (error.code() == Errc::timeout && error.slug() == "request-timeout")
    return problem(408, error, request_id);
  // And whether a part of Ekiden is not there, or broke off in the middle.
  if (error.code() == Errc::unavailable && error.slug() == "upstream-broken")
    return problem(502, error, request_id);
  return problem(status_of(error.code()), error, request_id);
}

Response problem(int status, const Error& error, std::string_view request_id) {
  std::string body = R"({"type":)";
  append_json_string(body, "urn:ekiden:" + error.slug());
  body += R"(,"title":)";
  append_json_string(body, reason_phrase(status));
  body += R"(,"status":)" + std::to_string(status) + R"(,"detail":)";
  // A bug's text may name what only we should see; the log has it under the request's id.
  append_json_string(body, error.code() == Errc::internal
                               ? "The server failed; the request's id helps us find out why."
                               : std::string_view(error.text()));
  if (!error.field().empty()) {
    body += R"(,"field":)";
    append_json_string(body, error.field());
  }
  body += R"(,"instance":)";
  append_json_string(body, request_id);
  body += '}';
  Response response{
      .status = status, .headers = {}, .body = std::move(body), .stream = {}, .stream_size = {}};
  response.headers.add("Content-Type", "application/problem+json");
  if (is_retryable(error.code()) && (status == 429 || status == 503)) {
    response.headers.add("Retry-After",
                         std::to_string(error.retry_after().value_or(std::chrono::seconds{1}).count()));
  }
  return response;
}

std::string_view reason_phrase(int status) {
  for (const auto& [code, phrase] : kPhrases) {
    if (code == status) return phrase;
  }
  return "Unknown";
}

}  // namespace ekiden::http
