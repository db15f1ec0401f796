#pragma once

#include <cstddef>
#include <string_view>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::delivery {

/// Notes in this transaction that `group` has applied the event. False: it had already, and the caller
/// changes nothing. For handlers outside the runner (rebuilds, imports); the runner claims ids by itself.
/// Errors as Tx::execute. @threads as the transaction
Result<bool> first_time(sql::Tx& tx, std::string_view group, const EventId& event, Timestamp now);

/// Forgets ids that were applied before `before`, at most `limit`; dead and parked ones stay.
/// @param before longer ago than the log keeps events: a forgotten id that comes again is applied again.
/// @returns how many went.
Result<std::int64_t> prune_inbox(sql::Tx& tx, Timestamp before, std::size_t limit);

}  // namespace ekiden::delivery
