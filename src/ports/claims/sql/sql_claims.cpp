#include "ports/claims/sql/sql_claims.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <utility>

#include <fmt/core.h>

namespace ekiden::claims {
namespace {

void check_table(const std::string& table) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto allowed = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  if (table.empty() || table.size() > 60 || !letter(table.front()) || !std::ranges::all_of(table, allowed)) {
    throw std::invalid_argument("claims: a table's name is [a-z_][a-z0-9_]*");
  }
}

/// Parameters: $1 key, $2 holder, $3 end, $4 now. A row that ended is anybody's; its holder's own live one is
/// renewed in its epoch. Another holder's live row is left alone, and then no row comes back.
constexpr std::string_view kTake = R"(
INSERT INTO {0} (claim_key, holder, epoch, expires_at) VALUES ($1, $2, $4, $3)
ON CONFLICT (claim_key) DO UPDATE SET
  holder = excluded.holder,
  expires_at = excluded.expires_at,
  epoch = CASE WHEN {0}.expires_at > $4 THEN {0}.epoch
               WHEN {0}.epoch >= excluded.epoch THEN {0}.epoch + 1
               ELSE excluded.epoch END
WHERE {0}.expires_at <= $4 OR {0}.holder = excluded.holder
RETURNING epoch)";

constexpr std::string_view kEnd = R"(
UPDATE {0} SET expires_at = $1
WHERE claim_key = $2 AND holder = $3 AND epoch = $4 AND expires_at > $5)";

constexpr std::string_view kPurge = R"(
DELETE FROM {0} WHERE claim_key IN
  (SELECT claim_key FROM {0} WHERE expires_at < $1 AND epoch < $1 ORDER BY expires_at LIMIT $2))";

constexpr std::chrono::hours kPurgeEvery{1};
/// A clock that goes back further than this could repeat an epoch.
constexpr std::chrono::hours kEndedKept{24};
constexpr std::int64_t kPurgedAtOnce = 20'000;

class SqlClaims final : public Claims {
 public:
  SqlClaims(sql::Database& database, const Clock& clock, const std::string& table)
      : database_(database),
        clock_(clock),
        take_(fmt::format(fmt::runtime(kTake), table)),
        purge_(fmt::format(fmt::runtime(kPurge), table)),
        end_(fmt::format(fmt::runtime(kEnd), table)) {}

  Result<std::optional<Lease>> take(std::string_view key, std::string_view holder,
                                    std::chrono::milliseconds ttl) override {
    EKIDEN_CHECK(check_name(key, "key"));
    EKIDEN_CHECK(check_name(holder, "holder"));
    EKIDEN_CHECK(check_ttl(ttl));
    // Read before the wait for a lane: a lease is then too short, never too long.
    const Timestamp now = clock_.now();
    const Timestamp end = now + ttl;
    EKIDEN_TRY(const sql::Rows rows, database_.write([&](sql::Tx& tx) -> Result<sql::Rows> {
      return tx.query(take_, {key, holder, end, now});
    }));
    purge_sometimes(now);
    if (rows.empty()) return std::optional<Lease>{};
    return std::optional(Lease{std::string(key), std::string(holder), rows.front().integer(0), end});
  }

  Result<bool> renew(const Lease& lease, std::chrono::milliseconds ttl) override {
    EKIDEN_CHECK(check_ttl(ttl));
    const Timestamp now = clock_.now();
    return end_at(lease, now + ttl, now);
  }

  Result<bool> release(const Lease& lease) override {
    // Not `now`: a clock that goes back must not revive what was given up.
    return end_at(lease, Timestamp{}, clock_.now());
  }

 private:
  Result<bool> end_at(const Lease& lease, Timestamp end, Timestamp now) {
    EKIDEN_CHECK(check_name(lease.key, "key"));
    EKIDEN_CHECK(check_name(lease.holder, "holder"));
    EKIDEN_TRY(const std::int64_t changed, database_.write([&](sql::Tx& tx) -> Result<std::int64_t> {
      return tx.execute(end_, {end, lease.key, lease.holder, lease.epoch, now});
    }));
    return changed == 1;
  }

  /// The table stays as large as what was claimed of late. Nobody waits for it, and nothing depends on it.
  void purge_sometimes(Timestamp now) {
    Timestamp due = next_purge_.load(std::memory_order_relaxed);
    if (now < due || !next_purge_.compare_exchange_strong(due, now + kPurgeEvery)) return;
    database_.submit(
        {.access = sql::Access::write},
        [purge = purge_, now](sql::Tx& tx) -> Result<void> {
          EKIDEN_CHECK(tx.execute(purge, {now - kEndedKept, kPurgedAtOnce}));
          return {};
        },
        [](const Result<void>&) {});
  }

  sql::Database& database_;
  const Clock& clock_;
  std::atomic<Timestamp> next_purge_{Timestamp{}};
  const std::string take_;
  const std::string purge_;
  const std::string end_;
};

}  // namespace

std::unique_ptr<Claims> make_sql_claims(sql::Database& database, const Clock& clock, std::string table) {
  check_table(table);
  return std::make_unique<SqlClaims>(database, clock, table);
}

Result<std::int64_t> purge_sql_claims(sql::Database& database, Timestamp before, std::int64_t limit,
                                      const std::string& table) {
  check_table(table);
  const std::string statement = fmt::format(fmt::runtime(kPurge), table);
  return database.write(
      [&](sql::Tx& tx) -> Result<std::int64_t> { return tx.execute(statement, {before, limit}); });
}

}  // namespace ekiden::claims
