#pragma once

#include <vector>

#include "http/cursor.hpp"
#include "http/route.hpp"
#include "ports/ranking/ranking.hpp"
#include "ports/sql/sql.hpp"
#include "services/gamification/store/people.hpp"

namespace ekiden::gamification {

/// Boards as people read them. Members outlive the routes. @threads any
class LeaderboardsApi {
 public:
  LeaderboardsApi(sql::Database& db, const ranking::Ranking& ranking, const NameDirectory& names,
                  const http::CursorSealer& cursors, const Clock& clock)
      : db_(db), ranking_(ranking), names_(names), cursors_(cursors), clock_(clock) {}

  std::vector<http::Route> routes();

 private:
  Result<http::Response> list(http::Request& request);
  Result<http::Response> page(http::Request& request);
  Result<http::Response> around(http::Request& request);
  Result<http::Response> behind(http::Request& request);
  Result<http::Response> my_ranks(http::Request& request);

  sql::Database& db_;
  const ranking::Ranking& ranking_;
  const NameDirectory& names_;
  const http::CursorSealer& cursors_;
  const Clock& clock_;
};

}  // namespace ekiden::gamification
