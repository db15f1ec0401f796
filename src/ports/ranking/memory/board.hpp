#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ports/ranking/memory/hash_index.hpp"
#include "ports/ranking/memory/rank_tree.hpp"
#include "ports/ranking/memory/shared_mutex.hpp"
#include "ports/ranking/ranking.hpp"

namespace ekiden::ranking {

/// One board: members in slots, an index from id to slot, a tree in rank order. 75 to 95 bytes a member (32
/// in its slot, 11 to 23 in the index, 27 to 40 in the tree), at least 1.9 KB a board. @threads any
class MemoryBoard {
 public:
  MemoryBoard() : tree_(members_) {}

  /// A board of these standings, in any order. Standings of score 0 are left out.
  /// @errors invalid: a score out of range, or a member twice.
  Result<void> load(const std::vector<Standing>& standings, std::uint64_t version) EKIDEN_EXCLUDES(mutex_);

  /// 0 where the member is not on the board. @param hash hash_of(member).
  std::int64_t score(const UserId& member, std::uint32_t hash) const EKIDEN_EXCLUDES(mutex_);
  /// Gives a member this standing; a score of 0 removes it. @param version of the board from now on.
  void set(const Standing& standing, std::uint32_t hash, std::uint64_t version) EKIDEN_EXCLUDES(mutex_);

  std::optional<Entry> rank(const UserId& member) const EKIDEN_EXCLUDES(mutex_);
  std::vector<Entry> range(std::int64_t from, std::int64_t limit) const EKIDEN_EXCLUDES(mutex_);
  std::vector<Entry> range_after(const Standing& last, std::int64_t limit) const EKIDEN_EXCLUDES(mutex_);
  std::vector<Entry> around(const UserId& member, std::int64_t before, std::int64_t after) const
      EKIDEN_EXCLUDES(mutex_);
  std::uint32_t size() const EKIDEN_EXCLUDES(mutex_);
  /// That of the last change.
  std::uint64_t version() const EKIDEN_EXCLUDES(mutex_);

  // Early starts on the memory that a change of this member will touch; each step reads what the one before
  // has fetched, so callers take all members through one step before the next.
  void prefetch_index(std::uint32_t hash) const EKIDEN_EXCLUDES(mutex_);
  void prefetch_member(std::uint32_t hash) const EKIDEN_EXCLUDES(mutex_);
  void prefetch_standing(std::uint32_t hash) const EKIDEN_EXCLUDES(mutex_);

  /// Whether tree, index and slots tell the same; for tests. O(n).
  bool consistent() const EKIDEN_EXCLUDES(mutex_);

 private:
  std::uint32_t find(const UserId& member, std::uint32_t hash) const
      __attribute__((requires_shared_capability(mutex_)));
  std::uint32_t add_member(const Standing& standing, std::uint32_t hash) EKIDEN_REQUIRES(mutex_);
  std::vector<Entry> entries(std::int64_t position, std::int64_t limit) const
      __attribute__((requires_shared_capability(mutex_)));

  mutable SharedMutex mutex_;
  std::uint64_t version_ EKIDEN_GUARDED_BY(mutex_) = 0;
  std::vector<Member> members_ EKIDEN_GUARDED_BY(mutex_);
  std::vector<std::uint32_t> free_slots_ EKIDEN_GUARDED_BY(mutex_);
  HashIndex index_ EKIDEN_GUARDED_BY(mutex_);
  RankTree tree_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::ranking
