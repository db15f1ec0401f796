#include "http/etag.hpp"

#include <charconv>

#include "http/digest.hpp"
#include "http/text.hpp"

namespace ekiden::http {

std::string etag_of_version(std::int64_t version) {
  return "\"v" + std::to_string(version) + "\"";
}

std::string etag_of_content(std::string_view content) {
  constexpr std::size_t kBytes = 16;
  return "\"" + to_base64url(sha256(content).substr(0, kBytes)) + "\"";
}

bool none_match_hits(std::string_view if_none_match, std::string_view etag) {
  if (trim(if_none_match) == "*") return true;
  // Our own tags hold no comma, so splitting at commas cannot make a foreign one equal.
  while (!if_none_match.empty()) {
    std::string_view item = next_item(if_none_match);
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == etag) return true;
  }
  return false;
}

Response with_etag(const Request& request, std::string etag, Response response) {
  const auto known = request.headers.get("If-None-Match");
  const bool is_read = request.verb == Verb::get || request.verb == Verb::head;
  if (known && is_read && response.status == 200 && none_match_hits(*known, etag)) {
    response.status = 304;
    response.body.clear();
    response.stream.reset();
    response.stream_size.reset();
    response.headers.remove("Content-Type");
  }
  response.headers.set("ETag", std::move(etag));
  if (!response.headers.get("Cache-Control")) response.headers.add("Cache-Control", "private, no-cache");
  return response;
}

Result<std::int64_t> if_match_version(const Request& request) {
  const auto header = request.headers.get("If-Match");
  if (!header)
    return Error{Errc::precondition_required, "if-match-required",
                 "Send the ETag of the version that you edit as If-Match."};
  const std::string_view tag = trim(*header);
  const Error stale{Errc::precondition_failed, "version-mismatch",
                    "If-Match names another version than the one that is there: read it again."};
  constexpr std::string_view kStart = "\"v";
  if (request.headers.count("If-Match") != 1 || !tag.starts_with(kStart) || !tag.ends_with('"')) return stale;
  std::int64_t version = 0;
  const char* last = tag.data() + tag.size() - 1;
  const auto [end, error] = std::from_chars(tag.data() + kStart.size(), last, version);
  if (error != std::errc{} || end != last || etag_of_version(version) != tag) return stale;
  return version;
}

}  // namespace ekiden::http
