#pragma once

#include <string>
#include <vector>

#include "ports/sql/sql.hpp"

namespace ekiden::gamification {

/// The processes that write the ledger, each with a lease that it renews. One whose lease has ended may have
/// made changes durable that it never told the ranking.

Result<void> renew_writer(sql::Tx& tx, std::string_view writer, Timestamp until);
struct Writer {
  std::string writer;
  Timestamp expires_at;
};
/// Writers whose lease ended before `now`.
Result<std::vector<Writer>> lost_writers(sql::Tx& tx, Timestamp now);
/// Forgets a writer, unless it has come back meanwhile.
Result<void> forget_writer(sql::Tx& tx, const Writer& writer);

}  // namespace ekiden::gamification
