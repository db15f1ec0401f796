#include "ports/ranking/memory/board.hpp"

#include <algorithm>
#include <numeric>

namespace ekiden::ranking {

Result<void> MemoryBoard::load(const std::vector<Standing>& standings, std::uint64_t version) {
  const WriteLock lock(mutex_);
  version_ = version;
  members_.reserve(standings.size());
  index_.reserve(standings.size());
  for (const Standing& standing : standings) {
    EKIDEN_CHECK(check_score(standing.score));
    if (standing.score == 0) continue;
    const std::uint32_t hash = hash_of(standing.member.uuid());
    if (find(standing.member, hash) != HashIndex::kNone) {
      return Error{Errc::invalid, "member-twice", "a board holds each member once", "standings"};
    }
    add_member(standing, hash);
  }
  std::vector<std::uint32_t> slots(members_.size());
  std::iota(slots.begin(), slots.end(), 0U);
  const Member* members = members_.data();
  std::ranges::sort(slots, {}, [members](std::uint32_t slot) { return key_of(members[slot]); });
  tree_.build(slots);
  return {};
}

std::uint32_t MemoryBoard::find(const UserId& member, std::uint32_t hash) const {
  const Member* members = members_.data();
  return index_.find(hash, [&member, members](std::uint32_t slot) { return members[slot].id == member; });
}

std::uint32_t MemoryBoard::add_member(const Standing& standing, std::uint32_t hash) {
  const Member member{standing.member, standing.score, standing.reached_at};
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(members_.size());
    members_.push_back(member);
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
    members_[slot] = member;
  }
  index_.insert(hash, slot);
  return slot;
}

std::int64_t MemoryBoard::score(const UserId& member, std::uint32_t hash) const {
  const ReadLock lock(mutex_);
  const std::uint32_t slot = find(member, hash);
  return slot == HashIndex::kNone ? 0 : members_[slot].score;
}

void MemoryBoard::set(const Standing& standing, std::uint32_t hash, std::uint64_t version) {
  const WriteLock lock(mutex_);
  version_ = version;
  std::uint32_t slot = find(standing.member, hash);
  if (slot != HashIndex::kNone) {
    tree_.erase(key_of(members_[slot]));
    if (standing.score == 0) {
      index_.erase(hash, slot);
      free_slots_.push_back(slot);
    } else {
      members_[slot] = {standing.member, standing.score, standing.reached_at};
    }
  } else if (standing.score != 0) {
    slot = add_member(standing, hash);
  }
  if (standing.score != 0) tree_.insert(key_of(members_[slot]), slot);
}

std::vector<Entry> MemoryBoard::entries(std::int64_t position, std::int64_t limit) const {
  std::vector<Entry> result;
  const auto size = static_cast<std::int64_t>(tree_.size());
  if (position >= size || limit <= 0) return result;
  const std::int64_t end = position + std::min(limit, size - position);
  result.reserve(static_cast<std::size_t>(end - position));
  for (auto cursor = tree_.at(static_cast<std::uint32_t>(position)); position < end; cursor.next()) {
    const Member& member = members_[cursor.slot()];
    result.push_back({++position, member.id, member.score, member.reached_at});
  }
  return result;
}

std::optional<Entry> MemoryBoard::rank(const UserId& member) const {
  const std::uint32_t hash = hash_of(member.uuid());
  const ReadLock lock(mutex_);
  const std::uint32_t slot = find(member, hash);
  if (slot == HashIndex::kNone) return std::nullopt;
  const Member& found = members_[slot];
  return Entry{std::int64_t{tree_.count_before(key_of(found))} + 1, found.id, found.score, found.reached_at};
}

std::vector<Entry> MemoryBoard::range(std::int64_t from, std::int64_t limit) const {
  const ReadLock lock(mutex_);
  return entries(from - 1, limit);
}

std::vector<Entry> MemoryBoard::range_after(const Standing& last, std::int64_t limit) const {
  const Key key = key_of(last.member, last.score, last.reached_at);
  const ReadLock lock(mutex_);
  std::int64_t position = tree_.count_before(key);
  const auto cursor = tree_.at(static_cast<std::uint32_t>(position));
  if (!cursor.at_end() && key_of(members_[cursor.slot()]) == key) ++position;
  return entries(position, limit);
}

std::vector<Entry> MemoryBoard::around(const UserId& member, std::int64_t before, std::int64_t after) const {
  const std::uint32_t hash = hash_of(member.uuid());
  const ReadLock lock(mutex_);
  const std::uint32_t slot = find(member, hash);
  if (slot == HashIndex::kNone) return {};
  const std::int64_t position = tree_.count_before(key_of(members_[slot]));
  const std::int64_t first = std::max(std::int64_t{0}, position - before);
  return entries(first, position - first + 1 + after);
}

std::uint32_t MemoryBoard::size() const {
  const ReadLock lock(mutex_);
  return tree_.size();
}

std::uint64_t MemoryBoard::version() const {
  const ReadLock lock(mutex_);
  return version_;
}

void MemoryBoard::prefetch_index(std::uint32_t hash) const {
  const ReadLock lock(mutex_);
  index_.prefetch(hash);
}

void MemoryBoard::prefetch_member(std::uint32_t hash) const {
  const ReadLock lock(mutex_);
  // The first slot under this hash is the member's but for one in thousands; a wrong guess costs nothing
  // else.
  const std::uint32_t slot = index_.find(hash, [](std::uint32_t) { return true; });
  if (slot != HashIndex::kNone) __builtin_prefetch(&members_[slot]);
}

void MemoryBoard::prefetch_standing(std::uint32_t hash) const {
  const ReadLock lock(mutex_);
  const std::uint32_t slot = index_.find(hash, [](std::uint32_t) { return true; });
  if (slot != HashIndex::kNone) tree_.prefetch(key_of(members_[slot]));
}

bool MemoryBoard::consistent() const {
  const ReadLock lock(mutex_);
  if (!tree_.consistent() || index_.size() != tree_.size()) return false;
  if (members_.size() != tree_.size() + free_slots_.size()) return false;
  for (auto cursor = tree_.at(0); !cursor.at_end(); cursor.next()) {
    const UserId& id = members_[cursor.slot()].id;
    if (find(id, hash_of(id.uuid())) != cursor.slot()) return false;
  }
  return true;
}

}  // namespace ekiden::ranking
