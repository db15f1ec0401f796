#include "ports/ranking/memory/rank_tree.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace ekiden::ranking {
namespace {

constexpr std::uint32_t kBuildFill = RankTree::kNodeMax * 3 / 4;
/// Two neighbours are merged where their sum leaves room for a few insertions before the next split.
constexpr std::uint32_t kMergeMax = RankTree::kNodeMax * 3 / 4;

/// Moves `count` elements from `source[first]` to before `target[at]`, in one array of two nodes.
template <class Array>
void move_elements(Array& source, std::uint32_t source_size, std::uint32_t first, Array& target,
                   std::uint32_t target_size, std::uint32_t at, std::uint32_t count) {
  std::move_backward(target.begin() + at, target.begin() + target_size, target.begin() + target_size + count);
  std::copy_n(source.begin() + first, count, target.begin() + at);
  std::move(source.begin() + first + count, source.begin() + source_size, source.begin() + first);
}

/// The same for all arrays of two nodes of one kind, and for their sizes.
template <class Node, class... Arrays>
void move_entries(Node& source, std::uint32_t first, Node& target, std::uint32_t at, std::uint32_t count,
                  Arrays Node::*... arrays) {
  (move_elements(source.*arrays, source.size, first, target.*arrays, target.size, at, count), ...);
  source.size -= count;
  target.size += count;
}

template <class Array, class Value>
void insert_element(Array& array, std::uint32_t size, std::uint32_t at, const Value& value) {
  std::move_backward(array.begin() + at, array.begin() + size, array.begin() + size + 1);
  array[at] = value;
}

template <class Array>
void erase_element(Array& array, std::uint32_t size, std::uint32_t at) {
  std::move(array.begin() + at + 1, array.begin() + size, array.begin() + at);
}

}  // namespace

Key key_of(const UserId& id, std::int64_t score, Timestamp reached_at) {
  return {.order = -score, .reached_us = to_micros(reached_at), .id = id};
}

std::uint32_t RankTree::child_index(const Inner& inner, const Key& key) {
  const auto* begin = inner.firsts.data() + 1;
  const auto* bound = std::upper_bound(begin, inner.firsts.data() + inner.size, key);
  return static_cast<std::uint32_t>(bound - begin);
}

void RankTree::prefetch(const Leaf& leaf) {
  // The search and the shift that follows touch most lines: fetch them side by side, not one after another.
  const auto* bytes = reinterpret_cast<const char*>(&leaf);
  for (std::size_t line = 0; line < sizeof(Leaf); line += 64) __builtin_prefetch(bytes + line);
}

bool RankTree::entry_less(const Leaf& leaf, std::uint32_t index, const Key& key) const {
  if (leaf.order[index] != key.order) return leaf.order[index] < key.order;
  if (leaf.reached_us[index] != key.reached_us) return leaf.reached_us[index] < key.reached_us;
  return members_[leaf.slots[index]].id < key.id;
}

std::uint32_t RankTree::lower_bound(const Leaf& leaf, const Key& key) const {
  std::uint32_t low = 0;
  std::uint32_t high = leaf.size;
  while (low < high) {
    const std::uint32_t middle = (low + high) / 2;
    if (entry_less(leaf, middle, key)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::uint32_t RankTree::count(const Node* node, unsigned level) const {
  if (level == 0) return node->size;
  const auto& counts = static_cast<const Inner*>(node)->counts;
  return std::accumulate(counts.begin(), counts.begin() + node->size, 0U);
}

void RankTree::insert(const Key& key, std::uint32_t slot) {
  if (root_ == nullptr) root_ = &new_leaf();
  if (root_->size == kNodeMax) grow_root();
  Node* node = root_;
  for (unsigned level = height_; level > 0; --level) {
    Inner& inner = as_inner(node);
    std::uint32_t index = child_index(inner, key);
    if (inner.children[index]->size == kNodeMax) {
      split_child(inner, index, level - 1);
      if (key >= inner.firsts[index + 1]) ++index;
    }
    ++inner.counts[index];
    node = inner.children[index];
  }
  Leaf& leaf = as_leaf(node);
  prefetch(leaf);
  const std::uint32_t at = lower_bound(leaf, key);
  insert_element(leaf.order, leaf.size, at, key.order);
  insert_element(leaf.reached_us, leaf.size, at, key.reached_us);
  insert_element(leaf.slots, leaf.size, at, slot);
  ++leaf.size;
  ++size_;
}

void RankTree::erase(const Key& key) {
  if (root_ == nullptr) throw std::logic_error("rank tree: erased from an empty tree");
  Node* node = root_;
  for (unsigned level = height_; level > 0; --level) {
    Inner& inner = as_inner(node);
    std::uint32_t index = child_index(inner, key);
    if (inner.children[index]->size <= kNodeMin) {
      refill_child(inner, index, level - 1);
      index = child_index(inner, key);
    }
    --inner.counts[index];
    node = inner.children[index];
  }
  Leaf& leaf = as_leaf(node);
  prefetch(leaf);
  const std::uint32_t at = lower_bound(leaf, key);
  if (at == leaf.size || key_of(members_[leaf.slots[at]]) != key) {
    throw std::logic_error("rank tree: erased what is not there");
  }
  erase_element(leaf.order, leaf.size, at);
  erase_element(leaf.reached_us, leaf.size, at);
  erase_element(leaf.slots, leaf.size, at);
  --leaf.size;
  --size_;
  shrink_root();
}

void RankTree::build(std::span<const std::uint32_t> slots) {
  if (slots.empty()) return;
  struct Subtree {
    Node* node;
    Key first;
    std::uint32_t count;
  };
  std::vector<Subtree> level;
  // What fits into one node is one: an inner node above two leaves takes twice their room.
  const auto groups_of = [](std::size_t total) {
    return total <= kNodeMax ? 1 : (total + kBuildFill - 1) / kBuildFill;
  };
  const std::size_t leaf_count = groups_of(slots.size());
  Leaf* last = nullptr;
  for (std::size_t group = 0; group < leaf_count; ++group) {
    Leaf& leaf = new_leaf();
    const std::size_t end = slots.size() * (group + 1) / leaf_count;
    for (std::size_t i = slots.size() * group / leaf_count; i < end; ++i, ++leaf.size) {
      const Key key = key_of(members_[slots[i]]);
      leaf.order[leaf.size] = key.order;
      leaf.reached_us[leaf.size] = key.reached_us;
      leaf.slots[leaf.size] = slots[i];
    }
    if (last != nullptr) last->next = &leaf;
    last = &leaf;
    level.push_back({&leaf, first_key(leaf), leaf.size});
  }
  for (height_ = 0; level.size() > 1; ++height_) {
    std::vector<Subtree> above;
    const std::size_t inner_count = groups_of(level.size());
    for (std::size_t group = 0; group < inner_count; ++group) {
      Inner& inner = new_inner();
      const std::size_t begin = level.size() * group / inner_count;
      const std::size_t end = level.size() * (group + 1) / inner_count;
      for (std::size_t i = begin; i < end; ++i, ++inner.size) {
        inner.children[inner.size] = level[i].node;
        inner.counts[inner.size] = level[i].count;
        inner.firsts[inner.size] = level[i].first;
      }
      above.push_back({&inner, inner.firsts[0], count(&inner, height_ + 1)});
    }
    level = std::move(above);
  }
  root_ = level.front().node;
  size_ = level.front().count;
}

std::uint32_t RankTree::count_before(const Key& key) const {
  if (root_ == nullptr) return 0;
  std::uint32_t before = 0;
  const Node* node = root_;
  for (unsigned level = height_; level > 0; --level) {
    const auto& inner = static_cast<const Inner&>(*node);
    const std::uint32_t index = child_index(inner, key);
    before += std::accumulate(inner.counts.begin(), inner.counts.begin() + index, 0U);
    node = inner.children[index];
  }
  prefetch(static_cast<const Leaf&>(*node));
  return before + lower_bound(static_cast<const Leaf&>(*node), key);
}

void RankTree::prefetch(const Key& key) const {
  if (root_ == nullptr) return;
  const Node* node = root_;
  for (unsigned level = height_; level > 0; --level) {
    const auto& inner = static_cast<const Inner&>(*node);
    node = inner.children[child_index(inner, key)];
  }
  prefetch(static_cast<const Leaf&>(*node));
}

RankTree::Cursor RankTree::at(std::uint32_t position) const {
  if (position >= size_) return {nullptr, 0};
  const Node* node = root_;
  for (unsigned level = height_; level > 0; --level) {
    const auto& inner = static_cast<const Inner&>(*node);
    std::uint32_t index = 0;
    while (position >= inner.counts[index]) position -= inner.counts[index++];
    node = inner.children[index];
  }
  return {static_cast<const Leaf*>(node), position};
}

RankTree::Leaf& RankTree::new_leaf() {
  if (free_leaves_.empty()) return *leaves_.emplace_back(std::make_unique<Leaf>());
  Leaf* leaf = free_leaves_.back();
  free_leaves_.pop_back();
  leaf->size = 0;
  leaf->next = nullptr;
  return *leaf;
}

RankTree::Inner& RankTree::new_inner() {
  if (free_inners_.empty()) return *inners_.emplace_back(std::make_unique<Inner>());
  Inner* inner = free_inners_.back();
  free_inners_.pop_back();
  inner->size = 0;
  return *inner;
}

void RankTree::free_node(Node* node, unsigned level) {
  if (level == 0) {
    free_leaves_.push_back(&as_leaf(node));
  } else {
    free_inners_.push_back(&as_inner(node));
  }
}

void RankTree::split_child(Inner& parent, std::uint32_t index, unsigned child_level) {
  Node* right = nullptr;
  Key first;
  constexpr std::uint32_t kHalf = kNodeMax / 2;
  if (child_level == 0) {
    Leaf& left_leaf = as_leaf(parent.children[index]);
    Leaf& right_leaf = new_leaf();
    move_entries(left_leaf, kHalf, right_leaf, 0, kHalf, &Leaf::order, &Leaf::reached_us, &Leaf::slots);
    right_leaf.next = left_leaf.next;
    left_leaf.next = &right_leaf;
    first = first_key(right_leaf);
    right = &right_leaf;
  } else {
    Inner& right_inner = new_inner();
    move_entries(as_inner(parent.children[index]), kHalf, right_inner, 0, kHalf, &Inner::counts,
                 &Inner::children, &Inner::firsts);
    first = right_inner.firsts[0];
    right = &right_inner;
  }
  const std::uint32_t moved = count(right, child_level);
  parent.counts[index] -= moved;
  insert_element(parent.counts, parent.size, index + 1, moved);
  insert_element(parent.children, parent.size, index + 1, right);
  insert_element(parent.firsts, parent.size, index + 1, first);
  ++parent.size;
}

void RankTree::refill_child(Inner& parent, std::uint32_t index, unsigned child_level) {
  const std::uint32_t left_index = index > 0 ? index - 1 : 0;
  Node* left = parent.children[left_index];
  Node* right = parent.children[left_index + 1];
  const auto move = [&](Node* from, std::uint32_t first, Node* to, std::uint32_t at, std::uint32_t number) {
    if (child_level == 0) {
      move_entries(as_leaf(from), first, as_leaf(to), at, number, &Leaf::order, &Leaf::reached_us,
                   &Leaf::slots);
    } else {
      move_entries(as_inner(from), first, as_inner(to), at, number, &Inner::counts, &Inner::children,
                   &Inner::firsts);
    }
  };
  const std::uint32_t together = parent.counts[left_index] + parent.counts[left_index + 1];
  const std::uint32_t entries = left->size + right->size;
  if (entries <= kMergeMax) {
    move(right, 0, left, left->size, right->size);
    if (child_level == 0) as_leaf(left).next = as_leaf(right).next;
    free_node(right, child_level);
    parent.counts[left_index] = together;
    erase_element(parent.counts, parent.size, left_index + 1);
    erase_element(parent.children, parent.size, left_index + 1);
    erase_element(parent.firsts, parent.size, left_index + 1);
    --parent.size;
    return;
  }
  const std::uint32_t half = entries / 2;
  if (left->size < half) {
    move(right, 0, left, left->size, half - left->size);
  } else {
    move(left, half, right, 0, left->size - half);
  }
  parent.counts[left_index] = count(left, child_level);
  parent.counts[left_index + 1] = together - parent.counts[left_index];
  parent.firsts[left_index + 1] = child_level == 0 ? first_key(as_leaf(right)) : as_inner(right).firsts[0];
}

void RankTree::grow_root() {
  Inner& root = new_inner();
  root.size = 1;
  root.children[0] = root_;
  root.counts[0] = size_;
  root_ = &root;
  ++height_;
  split_child(root, 0, height_ - 1);
}

void RankTree::shrink_root() {
  while (height_ > 0 && root_->size == 1) {
    Node* old = root_;
    root_ = as_inner(old).children[0];
    free_node(old, height_);
    --height_;
  }
}

bool RankTree::consistent() const {
  if (root_ == nullptr) return size_ == 0;
  const Checked whole = check(root_, height_, nullptr, nullptr);
  std::uint32_t walked = 0;
  for (Cursor cursor = at(0); !cursor.at_end(); cursor.next()) ++walked;
  return whole.ok && whole.count == size_ && walked == size_;
}

RankTree::Checked RankTree::check(const Node* node, unsigned level, const Key* low, const Key* high) const {
  const bool filled = node == root_ || node->size >= kNodeMin;
  if (!filled || node->size > kNodeMax) return {.ok = false};
  if (level == 0) return {check_leaf(static_cast<const Leaf&>(*node), low, high), node->size};
  const auto& inner = static_cast<const Inner&>(*node);
  Checked result{.ok = inner.size >= 2 && (low == nullptr || inner.firsts[0] == *low)};
  for (std::uint32_t i = 0; i < inner.size; ++i) {
    const Key* child_low = i == 0 ? low : &inner.firsts[i];
    const Key* child_high = i + 1 == inner.size ? high : &inner.firsts[i + 1];
    const Checked child = check(inner.children[i], level - 1, child_low, child_high);
    result.ok = result.ok && child.ok && child.count == inner.counts[i];
    result.count += child.count;
  }
  return result;
}

bool RankTree::check_leaf(const Leaf& leaf, const Key* low, const Key* high) const {
  for (std::uint32_t i = 0; i < leaf.size; ++i) {
    const Key key = key_of(members_[leaf.slots[i]]);
    if (key.order != leaf.order[i] || key.reached_us != leaf.reached_us[i]) return false;
    if (low != nullptr && key < *low) return false;
    if (high != nullptr && key >= *high) return false;
    if (i > 0 && key_of(members_[leaf.slots[i - 1]]) >= key) return false;
  }
  return true;
}

}  // namespace ekiden::ranking
