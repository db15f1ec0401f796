#pragma once

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "ports/sql/sql.hpp"

namespace ekiden::inventory {

/// The most ids of one list: what the engines take as parameters, with room for others.
inline constexpr std::size_t kInListMax = 8192;

/// Runs `select` + `IN ($1, …)` + `rest` for these ids, in pieces where they are very many. The last id is
/// repeated up to a power of two, so that there are few texts to prepare. @param rest has no parameters of
/// its own.
template <class IdType>
Result<sql::Rows> select_in(sql::Tx& tx, std::string_view select, const std::vector<IdType>& ids,
                            std::string_view rest = {}) {
  sql::Rows all;
  for (std::size_t at = 0; at < ids.size(); at += kInListMax) {
    const std::size_t count = std::min(kInListMax, ids.size() - at);
    const std::size_t padded = std::bit_ceil(count);
    std::string statement(select);
    statement += " IN (";
    sql::Params params;
    params.reserve(padded);
    for (std::size_t i = 0; i < padded; ++i) {
      statement += (i == 0 ? "$" : ", $") + std::to_string(i + 1);
      params.emplace_back(ids[at + std::min(i, count - 1)]);
    }
    statement += ")";
    statement += rest;
    EKIDEN_TRY(sql::Rows rows, tx.query(statement, std::move(params)));
    std::ranges::move(rows, std::back_inserter(all));
  }
  return all;
}

/// Ids as one text column, separated by spaces: they are only ever read and written together.
template <class IdType>
std::string join_ids(const std::vector<IdType>& ids) {
  std::string text;
  for (const IdType& id : ids) {
    if (!text.empty()) text += ' ';
    text += id.to_string();
  }
  return text;
}

/// Throws std::logic_error where the column holds something else.
template <class IdType>
std::vector<IdType> split_ids(std::string_view text) {
  constexpr std::size_t kIdChars = 36;
  std::vector<IdType> ids;
  while (!text.empty()) {
    const auto id = IdType::parse(text.substr(0, kIdChars));
    if (!id) throw std::logic_error("a column of ids holds something else");
    ids.push_back(*id);
    text.remove_prefix(std::min(text.size(), kIdChars + 1));
  }
  return ids;
}

}  // namespace ekiden::inventory
