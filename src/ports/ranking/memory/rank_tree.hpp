#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"

namespace ekiden::ranking {

/// A member as a board keeps it; the tree refers to it by its slot, the place in the board's array.
struct Member {
  UserId id;
  std::int64_t score = 0;
  Timestamp reached_at;
};

/// A standing as one ascending sequence of integers: what comes first stands above.
struct Key {
  std::int64_t order = 0;  ///< minus the score
  std::int64_t reached_us = 0;
  UserId id;
  friend auto operator<=>(const Key&, const Key&) = default;
};

Key key_of(const UserId& id, std::int64_t score, Timestamp reached_at);
inline Key key_of(const Member& member) {
  return key_of(member.id, member.score, member.reached_at);
}

/// A B+-tree of a board's members in rank order that knows the size of each subtree, so that rank, selection,
/// insertion and removal each take one walk from the root: about three cache misses for a million members. A
/// leaf holds score, time and slot in arrays of their own (20 bytes an entry); the id is looked up in the
/// board's array where both are equal. Nodes are split and merged on the way down; all but the root are at
/// least a quarter full.
/// @threads one writer, or readers
class RankTree {
 public:
  static constexpr std::uint32_t kNodeMax = 64;
  static constexpr std::uint32_t kNodeMin = kNodeMax / 4;

 private:
  struct Node {
    std::uint32_t size = 0;
  };
  struct Leaf : Node {
    Leaf* next = nullptr;
    std::array<std::int64_t, kNodeMax> order{};
    std::array<std::int64_t, kNodeMax> reached_us{};
    std::array<std::uint32_t, kNodeMax> slots{};
  };
  struct Inner : Node {
    std::array<std::uint32_t, kNodeMax> counts{};  ///< entries below each child
    std::array<Node*, kNodeMax> children{};
    /// firsts[i] is above all keys of child i-1 and not above any of child i; firsts[0] is not read for
    /// search, and on all but the leftmost path equals the parent's bound of this node.
    std::array<Key, kNodeMax> firsts{};
  };

 public:
  /// Walks on in rank order; valid until the tree changes.
  class Cursor {
   public:
    bool at_end() const { return leaf_ == nullptr; }
    std::uint32_t slot() const { return leaf_->slots[index_]; }
    void next() {
      if (++index_ < leaf_->size) return;
      leaf_ = leaf_->next;
      index_ = 0;
    }

   private:
    friend class RankTree;
    Cursor(const Leaf* leaf, std::uint32_t index) : leaf_(leaf), index_(index) {}
    const Leaf* leaf_;
    std::uint32_t index_;
  };

  /// @param members the board's array, which must outlive the tree and hold every slot that is in the tree.
  explicit RankTree(const std::vector<Member>& members) : members_(members) {}
  RankTree(const RankTree&) = delete;
  RankTree& operator=(const RankTree&) = delete;

  void insert(const Key& key, std::uint32_t slot);
  /// @throws std::logic_error where it is not there: a bug in the board.
  void erase(const Key& key);
  /// Fills an empty tree from slots in rank order: one leaf, or leaves three quarters full.
  void build(std::span<const std::uint32_t> slots);

  std::uint32_t size() const { return size_; }
  /// How many stand above `key`, which need not be there.
  std::uint32_t count_before(const Key& key) const;
  /// Makes an early start on the memory that a change of this entry will touch.
  void prefetch(const Key& key) const;
  /// From the entry that `position` (from 0) others stand above.
  Cursor at(std::uint32_t position) const;
  /// Whether order, counts, bounds and fill are what they should be; for tests and audits. O(n).
  bool consistent() const;

 private:
  struct Checked {
    bool ok = true;
    std::uint32_t count = 0;
  };

  static Inner& as_inner(Node* node) { return *static_cast<Inner*>(node); }
  static Leaf& as_leaf(Node* node) { return *static_cast<Leaf*>(node); }
  static std::uint32_t child_index(const Inner& inner, const Key& key);
  static void prefetch(const Leaf& leaf);
  bool entry_less(const Leaf& leaf, std::uint32_t index, const Key& key) const;
  std::uint32_t lower_bound(const Leaf& leaf, const Key& key) const;
  Key first_key(const Leaf& leaf) const { return key_of(members_[leaf.slots[0]]); }
  std::uint32_t count(const Node* node, unsigned level) const;

  Leaf& new_leaf();
  Inner& new_inner();
  void free_node(Node* node, unsigned level);
  void split_child(Inner& parent, std::uint32_t index, unsigned child_level);
  void refill_child(Inner& parent, std::uint32_t index, unsigned child_level);
  void grow_root();
  void shrink_root();
  Checked check(const Node* node, unsigned level, const Key* low, const Key* high) const;
  bool check_leaf(const Leaf& leaf, const Key* low, const Key* high) const;

  const std::vector<Member>& members_;
  // One by one: a board of few members has a single leaf. (A deque would allocate an inner node at once.)
  std::vector<std::unique_ptr<Leaf>> leaves_;
  std::vector<std::unique_ptr<Inner>> inners_;
  std::vector<Leaf*> free_leaves_;
  std::vector<Inner*> free_inners_;
  Node* root_ = nullptr;
  unsigned height_ = 0;  ///< levels of inner nodes above the leaves
  std::uint32_t size_ = 0;
};

}  // namespace ekiden::ranking
