#include "http/problem.hpp"

#include "base/logger.hpp"

namespace ekiden::http {

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
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

}  // namespace ekiden::http
