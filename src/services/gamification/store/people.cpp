#include "services/gamification/store/people.hpp"

namespace ekiden::gamification {

Result<void> put_person(sql::Tx& tx, UserId user_id, std::string_view display_name, std::int64_t version) {
  EKIDEN_CHECK(tx.execute(
      "INSERT INTO people (user_id, display_name, version) VALUES ($1, $2, $3) ON CONFLICT (user_id) DO "
      "UPDATE SET display_name = excluded.display_name, version = excluded.version WHERE people.version < "
      "excluded.version",
      {user_id, display_name, version}));
  return {};
}

Result<std::vector<Person>> list_people(sql::Tx& tx, UserId after, std::int64_t limit) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT user_id, display_name FROM people WHERE user_id > $1 ORDER BY user_id LIMIT $2",
                      {after, limit}));
  std::vector<Person> people;
  people.reserve(rows.size());
  for (const sql::Row& row : rows)
    people.push_back({.user_id = row.id<UserId>(0), .display_name = row.text(1)});
  return people;
}

Result<std::vector<std::string>> read_names(sql::Tx& tx, const std::vector<UserId>& user_ids) {
  std::vector<std::string> names(user_ids.size());
  if (user_ids.empty()) return names;
  std::string statement = "SELECT user_id, display_name FROM people WHERE user_id IN (";
  sql::Params params;
  for (const UserId& user_id : user_ids) {
    params.emplace_back(user_id);
    statement += (params.size() > 1 ? ", $" : "$") + std::to_string(params.size());
  }
  EKIDEN_TRY(const sql::Rows rows, tx.query(statement + ")", std::move(params)));
  std::unordered_map<UserId, std::string> found;
  for (const sql::Row& row : rows) found[row.id<UserId>(0)] = row.text(1);
  for (std::size_t i = 0; i < user_ids.size(); ++i) names[i] = found[user_ids[i]];
  return names;
}

void NameDirectory::put(UserId user_id, std::string display_name) {
  const MutexLock lock(mutex_);
  std::string& name = names_[user_id];
  if (name == display_name) return;
  name = std::move(display_name);
  ++version_;
}

void NameDirectory::remove(UserId user_id) {
  const MutexLock lock(mutex_);
  if (names_.erase(user_id) > 0) ++version_;
}

std::vector<std::string> NameDirectory::names_of(const std::vector<UserId>& user_ids) const {
  std::vector<std::string> names;
  names.reserve(user_ids.size());
  const MutexLock lock(mutex_);
  for (const UserId& user_id : user_ids) {
    const auto found = names_.find(user_id);
    names.push_back(found == names_.end() ? std::string() : found->second);
  }
  return names;
}

std::size_t NameDirectory::size() const {
  const MutexLock lock(mutex_);
  return names_.size();
}

}  // namespace ekiden::gamification
