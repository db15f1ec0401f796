#pragma once

#include <vector>

#include "http/cursor.hpp"
#include "http/route.hpp"
#include "ports/ranking/ranking.hpp"
#include "ports/sql/sql.hpp"
#include "services/gamification/api/kept_pages.hpp"
#include "services/gamification/domain/boards.hpp"
#include "services/gamification/store/people.hpp"

namespace ekiden::gamification {

/// Boards as people read them. Members outlive the routes. @threads any
class LeaderboardsApi {
 public:
  LeaderboardsApi(sql::Database& db, const ranking::Ranking& ranking, const NameDirectory& names,
                  const http::CursorSealer& cursors, const Clock& clock)
      : db_(db), ranking_(ranking), names_(names), cursors_(cursors), clock_(clock) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(LeaderboardsApi* api);

 private:
  Result<http::Response> list(http::Request& request);
  Result<http::Response> page(http::Request& request);
  Result<http::Response> around(http::Request& request);
  /// The first page of a board, from memory.
  bool page_fast(const http::FastCall& call, http::FastReply& reply) const;
  /// One's neighbours, from memory.
  bool around_fast(const http::FastCall& call, http::FastReply& reply) const;
  Result<http::Response> behind(http::Request& request);
  Result<http::Response> my_ranks(http::Request& request);

  Result<std::vector<std::string>> names_of(const std::vector<ranking::Entry>& entries) const;
  Result<std::string> page_of(const BoardName& board, std::int64_t limit,
                              const std::optional<std::string>& position) const;
  /// A board from the top, as kept or as made now.
  Result<KeptPages::Page> first_page(const BoardName& board, std::int64_t limit) const;
  Result<std::string> around_of(const BoardName& board, UserId person, std::int64_t each_side) const;

  sql::Database& db_;
  const ranking::Ranking& ranking_;
  const NameDirectory& names_;
  const http::CursorSealer& cursors_;
  const Clock& clock_;
  mutable KeptPages pages_;  ///< the same answers without it, only later
};

}  // namespace ekiden::gamification
