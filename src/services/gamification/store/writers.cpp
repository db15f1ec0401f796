#include "services/gamification/store/writers.hpp"

namespace ekiden::gamification {

Result<void> renew_writer(sql::Tx& tx, std::string_view writer, Timestamp until) {
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO ranking_writers (writer, expires_at) VALUES ($1, $2) ON CONFLICT (writer) DO UPDATE SET "
      "expires_at = excluded.expires_at",
      {writer, until}));
  return {};
}

Result<std::vector<Writer>> lost_writers(sql::Tx& tx, Timestamp now) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT writer, expires_at FROM ranking_writers WHERE expires_at < $1", {now}));
  std::vector<Writer> writers;
  for (const sql::Row& row : rows) writers.push_back({.writer = row.text(0), .expires_at = row.time(1)});
  return writers;
}

Result<void> forget_writer(sql::Tx& tx, const Writer& writer) {
  EKIDEN_CHECK(tx.execute("DELETE FROM ranking_writers WHERE writer = $1 AND expires_at = $2",
                          {writer.writer, writer.expires_at}));
  return {};
}

}  // namespace ekiden::gamification
