#include "services/idempotency.hpp"

#include <algorithm>

#include "delivery/idempotency.hpp"
#include "http/digest.hpp"

namespace ekiden::services {

namespace {

constexpr std::size_t kKeyMax = 255;

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= kKeyMax &&
         std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

IdempotentRequest::IdempotentRequest(const http::Request& request, UserId who, std::string_view content)
    : who_(who.to_string()), route_(std::string(http::to_string(request.verb)) + " " + request.path) {
  const auto header = request.headers.get("Idempotency-Key");
  if (!header) return;
  key_ = std::string(*header);
  hash_ = http::sha256(content.empty() ? std::string_view(request.body) : content);
}

Result<std::optional<http::Response>> IdempotentRequest::begin(sql::Tx& tx) const {
  if (!key_) return std::optional<http::Response>{};
  if (!is_key(*key_)) {
    return Error{Errc::invalid, "bad-idempotency-key", "give 1 to 255 printable characters without spaces",
                 "Idempotency-Key"};
  }
  EKIDEN_TRY(const auto begun,
             delivery::idempotency::begin(
                 tx, {.scope = who_, .key = *key_, .route = route_, .request_hash = hash_}));
  const auto* answer = std::get_if<delivery::idempotency::Answer>(&begun);
  if (answer == nullptr) return std::optional<http::Response>{};
  http::Response response;
  response.status = answer->status;
  response.body = answer->body;
  for (const auto& [name, value] : answer->headers) response.headers.add(name, value);
  return std::optional{std::move(response)};
}

Result<void> IdempotentRequest::finish(sql::Tx& tx, const http::Response& response, Timestamp now) const {
  if (!key_) return {};
  const delivery::idempotency::Answer answer{
      .status = response.status, .headers = response.headers.all(), .body = response.body};
  return delivery::idempotency::finish(
      tx, {.scope = who_, .key = *key_, .route = route_, .request_hash = hash_}, answer, now);
}

}  // namespace ekiden::services
