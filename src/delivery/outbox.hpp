#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "delivery/event.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::delivery {

extern const sql::Migration
    kDeliveryMigration;  ///< outbox, inbox, parked, idempotency: every service's first step

/// Writes events into the outbox of the transaction that makes them true. The relay publishes them in commit
/// order per key, at least once. A small value that services keep. @threads as the transaction
class Outbox {
 public:
  /// @param wake called after the commit of each transaction that wrote events: the relay's bell. Never
  /// blocks.
  Outbox(std::string_view service, std::string_view topic, const Clock& clock, Ids& ids,
         std::function<void()> wake);

  /// Appends one event; `envelope.id`, `source` and `time` are filled in where they are empty.
  /// @errors malformed, too_large: as `delivery::check`; nothing was written. Else as Tx::execute.
  Result<void> append(sql::Tx& tx, Envelope envelope) const;
  /// The same for many, in order, in two round trips. Errors as `append`: all or nothing.
  Result<void> append_all(sql::Tx& tx, std::vector<Envelope> envelopes) const;

 private:
  std::string source_;
  std::string topic_;
  const Clock* clock_;
  Ids* ids_;
  std::function<void()> wake_;
};

/// A row of the outbox: a message and what audits and operators look for.
struct OutboxRow {
  EventId id;
  std::int64_t position = 0;  ///< grows within a key in commit order; set by `insert_rows`
  std::string type;
  std::string subject;
  std::int64_t sequence = 0;
  log::Message message;
};

/// Writes rows, in order; each gets a position after all of its key. Errors as Tx::execute.
Result<void> insert_rows(sql::Tx& tx, const std::vector<OutboxRow>& rows, Timestamp now);

/// The unpublished rows with the lowest positions, but for those of `skip_keys`. All unpublished rows of a
/// key that come before a returned one are returned too. @param limit 1 to 10,000
Result<std::vector<OutboxRow>> read_unpublished(sql::Tx& tx, std::size_t limit,
                                                const std::vector<std::string>& skip_keys);
/// Says that these rows are on the log. One that is already marked keeps its time.
Result<void> mark_published(sql::Tx& tx, const std::vector<EventId>& ids, Timestamp now);
/// Deletes at most `limit` rows that were published before `before`, and forgets keys that were quiet since.
/// @returns how many rows went. @param before long enough ago that no clock is wrong by as much
Result<std::int64_t> prune_published(sql::Tx& tx, Timestamp before, std::size_t limit);

struct OutboxDepth {
  std::int64_t rows = 0;  ///< unpublished; counting stops at `kOutboxDepthMax`
  std::chrono::microseconds oldest_age{0};
};
inline constexpr std::int64_t kOutboxDepthMax = 100'000;
Result<OutboxDepth> outbox_depth(sql::Tx& tx, Timestamp now);

}  // namespace ekiden::delivery
