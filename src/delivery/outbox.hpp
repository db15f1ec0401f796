#pragma once

#include <functional>
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

  /// Appends one event; `envelope.id`, `source` and `time` are filled in where they are empty. Errors as
  /// Tx::execute.
  Result<void> append(sql::Tx& tx, Envelope envelope) const;
  Result<void> append_all(sql::Tx& tx, std::vector<Envelope> envelopes) const;

 private:
  std::string source_;
  std::string topic_;
  const Clock* clock_;
  Ids* ids_;
  std::function<void()> wake_;
};

}  // namespace ekiden::delivery
