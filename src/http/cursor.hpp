#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

/// What list routes read from their query, and the cursors that they hand out.
namespace ekiden::http {

/// Makes and opens cursors: where the next page begins, opaque to clients and sealed by a MAC, so that none
/// can be made up or moved to another list. @threads any
class CursorSealer {
 public:
  /// @param key 32 random bytes, the same in every process that serves the list.
  explicit CursorSealer(std::string key) : key_(std::move(key)) {}
  /// @param list    names the list and its filters (`feed:USER`, `board:distance/run/all`).
  /// @param position what the list needs to go on; at most 512 bytes. It can be read by the client, not
  /// changed.
  std::string seal(std::string_view list, std::string_view position) const;
  /// @errors invalid  `bad-cursor`, field `cursor`: not one of ours, or of another list.
  Result<std::string> open(std::string_view list, std::string_view cursor) const;

 private:
  std::string key_;
};

/// Reads query parameters by name and refuses what a route does not know. Values lie in the request.
class QueryReader {
 public:
  /// @param known the names that the route takes.
  QueryReader(const Request& request, std::initializer_list<std::string_view> known)
      : request_(request), known_(known) {}

  /// Call first. @errors invalid  `unknown-parameter` or `repeated-parameter`; the field names it.
  Result<void> check() const;
  std::optional<std::string_view> text(std::string_view name) const { return request_.query_value(name); }
  /// @errors invalid  `bad-parameter`: not a whole number from `least` to `most`; the field names it.
  Result<std::int64_t> number(std::string_view name, std::int64_t fallback, std::int64_t least,
                              std::int64_t most) const;
  /// Page size: 1 to 200. @errors invalid  `bad-parameter`, field `limit`.
  Result<std::int64_t> limit(std::int64_t fallback = 50) const {
    return number("limit", fallback, 1, kLimitMax);
  }
  /// The position that the caller's cursor holds, nullopt on the first page. @errors as CursorSealer::open().
  Result<std::optional<std::string>> cursor(const CursorSealer& sealer, std::string_view list) const;

  static constexpr std::int64_t kLimitMax = 200;

 private:
  const Request& request_;
  std::vector<std::string_view> known_;
};

}  // namespace ekiden::http
