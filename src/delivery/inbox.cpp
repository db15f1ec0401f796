#include "delivery/inbox.hpp"

namespace ekiden::delivery {

Result<bool> first_time(sql::Tx& tx, std::string_view group, const EventId& event, Timestamp now) {
  EKIDEN_TRY(const std::int64_t written,
             tx.execute("INSERT INTO inbox (group_name, event_id, state, applied_at) "
                        "VALUES ($1, $2, 'applied', $3) ON CONFLICT DO NOTHING",
                        {group, event, now}));
  return written == 1;
}

Result<std::int64_t> prune_inbox(sql::Tx& tx, Timestamp before, std::size_t limit) {
  return tx.execute(
      "DELETE FROM inbox WHERE state IN ('applied', 'discarded') AND (group_name, event_id) IN "
      "(SELECT group_name, event_id FROM inbox WHERE applied_at < $1 AND state IN ('applied', 'discarded') "
      "ORDER BY applied_at LIMIT $2)",
      {before, static_cast<std::int64_t>(limit)});
}

}  // namespace ekiden::delivery
