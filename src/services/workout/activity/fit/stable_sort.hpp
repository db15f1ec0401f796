#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace ekiden::activity::fit {

/// Sorts by `key`, equals in their order. (libstdc++ 12's own stable sort does not compile without a warning
/// here.)
template <class T, class Key>
void stable_sort_by(std::vector<T>& items, Key key) {
  if (std::ranges::is_sorted(items, {}, key)) return;
  std::vector<std::uint32_t> order(items.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return std::pair(std::invoke(key, items[i]), i); });
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (const std::uint32_t i : order) sorted.push_back(std::move(items[i]));
  items = std::move(sorted);
}

}  // namespace ekiden::activity::fit
