#pragma once

#include <optional>

#include "events/users.hpp"
#include "ports/sql/sql.hpp"
#include "services/workout/domain/workout.hpp"

namespace ekiden::workout {

/// Copies of people, as `users` events tell of them. An older version never overwrites a newer one.
Result<void> put_person(sql::Tx& tx, const events::UserState& state);
/// nullopt where their registration has not been heard of yet.
Result<std::optional<Person>> find_person(sql::Tx& tx, UserId user_id);

Result<bool> is_erased(sql::Tx& tx, UserId user_id);

/// Deletes everything of a person and remembers the id, so that nothing of theirs comes back.
/// @returns the blobs that nothing refers to any more.
Result<std::vector<blobs::Hash>> erase_person(sql::Tx& tx, UserId user_id, Timestamp now);

}  // namespace ekiden::workout
