#pragma once

#include <vector>

#include "services/inventory/domain/gear.hpp"

namespace ekiden::inventory {

/// How much of the expected life is used: the larger of the shares of distance and time; nullopt where none
/// is expected. 1 is all of it.
std::optional<double> share_used(const Gear& gear);

/// Whole percent of the expected life that are used, rounded down; 0 where none is expected. Exact.
std::int64_t percent_used(const Gear& gear);

/// After its use has changed: notes and returns the shares that are reached and not told yet, rising. What is
/// taken back is not forgotten, so that the same share is told once. Of retired gear nothing is told.
std::vector<std::int64_t> tell_after_use(Gear& gear);

/// After its owner has changed what it had before or how long it lasts: shares that are no longer reached are
/// forgotten, and what is reached and not told is returned.
std::vector<std::int64_t> tell_after_edit(Gear& gear);

}  // namespace ekiden::inventory
