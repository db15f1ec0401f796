#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.hpp"

namespace ekiden::workout {

/// Ids as one text column, separated by spaces: they are only ever read and written together.
inline std::string join_ids(const std::vector<Uuid>& ids) {
  std::string text;
  text.reserve(ids.size() * 37);
  for (const Uuid& id : ids) {
    if (!text.empty()) text += ' ';
    text += id.to_string();
  }
  return text;
}

/// Throws std::logic_error where the column holds something else.
inline std::vector<Uuid> split_ids(std::string_view text) {
  std::vector<Uuid> ids;
  while (!text.empty()) {
    const auto id = Uuid::parse(text.substr(0, 36));
    if (!id) throw std::logic_error("a column of ids holds something else");
    ids.push_back(*id);
    text.remove_prefix(std::min<std::size_t>(text.size(), 37));
  }
  return ids;
}

}  // namespace ekiden::workout
