#pragma once

#include <string>
#include <vector>

#include "delivery/outbox.hpp"
#include "services/inventory/domain/counting.hpp"
#include "services/inventory/store/gear.hpp"

namespace ekiden::inventory {

/// Keeps gear, its ledger and what is told of it in step. A small value; every function is a part of the
/// caller's transaction. @threads as the transaction
class Settler {
 public:
  Settler(const delivery::Outbox& outbox, const GearMetrics& metrics, const Clock& clock)
      : outbox_(&outbox), metrics_(metrics), clock_(&clock) {}

  /// Applies events of workouts, in order: the ledger holds the difference to what was given before, and each
  /// piece of gear whose sum has changed is updated once, however many of the events concern it.
  /// @errors as `update_gear` and `read_event`.
  Result<void> apply(sql::Tx& tx, const std::vector<const delivery::Envelope*>& events) const;

  /// After its mountings have changed: counts a part anew. Errors as `update_gear`.
  Result<void> recount_part(sql::Tx& tx, GearId part_id, const std::string& traceparent) const;

  /// After its owner has changed it: writes it and tells what it has reached. Errors as `update_gear`.
  /// @param seen as it was read.
  Result<void> write_edit(sql::Tx& tx, const Gear& seen, Gear& gear, const std::string& traceparent) const;

  /// Of a new piece that had done something before. Nothing else is written.
  Result<void> tell_new(sql::Tx& tx, Gear& gear, const std::string& traceparent) const;

  /// Writes it with new sums and tells what it has reached. Errors as `update_gear`.
  Result<void> write_use(sql::Tx& tx, Gear& gear, const std::string& traceparent) const;

 private:
  Result<void> tell(sql::Tx& tx, const Gear& gear, const std::vector<std::int64_t>& shares,
                    const std::string& traceparent) const;

  const delivery::Outbox* outbox_;
  GearMetrics metrics_;
  const Clock* clock_;
};

}  // namespace ekiden::inventory
