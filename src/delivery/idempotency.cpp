#include "delivery/idempotency.hpp"

#include "delivery/header_codec.hpp"

namespace ekiden::delivery::idempotency {
namespace {

Error in_flight() {
  return {Errc::conflict, "idempotency-key-in-flight",
          "a request with this Idempotency-Key is being worked on; ask again in a moment", "Idempotency-Key"};
}

Result<void> check_key(const Intent& intent) {
  if (!intent.key.empty() && intent.key.size() <= 255) return {};
  return Error{Errc::invalid, "bad-idempotency-key", "an Idempotency-Key has 1 to 255 bytes",
               "Idempotency-Key"};
}

}  // namespace

Result<Begun> begin(sql::Tx& tx, const Intent& intent) {
  EKIDEN_CHECK(check_key(intent));
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT route, request_hash, status, headers, body FROM idempotency "
                      "WHERE scope = $1 AND key = $2",
                      {intent.scope, intent.key}));
  if (rows.empty()) return Begun{Fresh{}};
  const sql::Row& row = rows.front();
  if (row.text(0) != intent.route || row.bytes(1) != intent.request_hash)
    return Error{Errc::invalid, "idempotency-key-reused",
                 "this Idempotency-Key belongs to another request; use a new one", "Idempotency-Key"};
  Answer answer{.status = static_cast<int>(row.integer(2)), .headers = {}, .body = row.bytes(4)};
  EKIDEN_TRY(answer.headers, unpack_headers(row.bytes(3)));
  return Begun{std::move(answer)};
}

Result<void> finish(sql::Tx& tx, const Intent& intent, const Answer& answer, Timestamp now) {
  EKIDEN_TRY(
      const std::int64_t written,
      tx.execute("INSERT INTO idempotency (scope, key, route, request_hash, status, headers, body, "
                 "created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
                 {intent.scope, intent.key, intent.route, sql::Blob{intent.request_hash}, answer.status,
                  sql::Blob{pack_headers(answer.headers)}, sql::Blob{answer.body}, now}));
  if (written != 1) return in_flight();
  return {};
}

Result<std::int64_t> prune(sql::Tx& tx, Timestamp before, std::size_t limit) {
  return tx.execute(
      "DELETE FROM idempotency WHERE (scope, key) IN (SELECT scope, key FROM idempotency "
      "WHERE created_at < $1 ORDER BY created_at LIMIT $2)",
      {before, static_cast<std::int64_t>(limit)});
}

Result<InFlightKeys::Hold> InFlightKeys::enter(std::string_view scope, std::string_view key) {
  std::pair<std::string, std::string> entry{scope, key};
  const MutexLock lock(mutex_);
  if (keys_.contains(entry)) return in_flight();
  if (keys_.size() >= max_)
    return Error{Errc::busy, "too-many-in-flight", "too many requests are being worked on"};
  keys_.insert(entry);
  return Hold{this, std::move(entry)};
}

void InFlightKeys::leave(const std::pair<std::string, std::string>& key) {
  const MutexLock lock(mutex_);
  keys_.erase(key);
}

std::size_t InFlightKeys::size() const {
  const MutexLock lock(mutex_);
  return keys_.size();
}

}  // namespace ekiden::delivery::idempotency
