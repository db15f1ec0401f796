#pragma once

#include <atomic>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::gamification {

/// Display names, as `users` events tell of them. An older version never overwrites a newer one.
Result<void> put_person(sql::Tx& tx, UserId user_id, std::string_view display_name, std::int64_t version);
struct Person {
  UserId user_id;
  std::string display_name;
};
/// Up to `limit` people with an id above `after`, in order of id.
Result<std::vector<Person>> list_people(sql::Tx& tx, UserId after, std::int64_t limit);

/// Names of these people, in their order; empty for those whose registration has not been heard of yet.
Result<std::vector<std::string>> read_names(sql::Tx& tx, const std::vector<UserId>& user_ids);

/// The names in memory, so that a board can be shown without a query: about 100 bytes a person. @threads any
class NameDirectory {
 public:
  void put(UserId user_id, std::string display_name) EKIDEN_EXCLUDES(mutex_);
  void remove(UserId user_id) EKIDEN_EXCLUDES(mutex_);
  /// Names of these people, in their order; empty for those whose registration has not been heard of yet.
  std::vector<std::string> names_of(const std::vector<UserId>& user_ids) const EKIDEN_EXCLUDES(mutex_);
  std::size_t size() const EKIDEN_EXCLUDES(mutex_);
  /// Grows with every change: names that are read after it are at least as new.
  std::uint64_t version() const { return version_; }

 private:
  mutable Mutex mutex_;
  std::atomic<std::uint64_t> version_ = 0;  ///< written under the mutex, after the change
  std::unordered_map<UserId, std::string> names_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::gamification
