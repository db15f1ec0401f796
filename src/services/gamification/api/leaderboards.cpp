#include "services/gamification/api/leaderboards.hpp"

#include <charconv>

#include <boost/describe.hpp>

#include "base/time_zone.hpp"
#include "json/json.hpp"
#include "services/gamification/domain/boards.hpp"
#include "services/gamification/store/ledger.hpp"

namespace ekiden::gamification {

namespace {

struct ItemView {
  std::int64_t rank = 0;
  UserId user_id;
  std::string display_name;
  std::int64_t score = 0;
  Timestamp reached_at;
};
BOOST_DESCRIBE_STRUCT(ItemView, (), (rank, user_id, display_name, score, reached_at))

struct BoardView {
  std::string metric;
  std::string sport;
  std::string period;
  std::string unit;
  std::int64_t members = 0;
  std::string state;  ///< `ready`, or `rebuilding`: what is shown may not be whole
  std::vector<ItemView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(BoardView, (), (metric, sport, period, unit, members, state, items, next_cursor))

struct AroundView {
  std::string metric;
  std::string sport;
  std::string period;
  std::string unit;
  std::int64_t members = 0;
  std::string state;
  std::optional<std::int64_t> rank;
  std::optional<double> percentile;
  std::vector<ItemView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(AroundView, (),
                      (metric, sport, period, unit, members, state, rank, percentile, items, next_cursor))

struct BoardKindView {
  std::string metric;
  std::string sport;
  std::string unit;
  std::vector<std::string> periods;  ///< those of today, in UTC
};
BOOST_DESCRIBE_STRUCT(BoardKindView, (), (metric, sport, unit, periods))

struct BoardKindsView {
  std::vector<BoardKindView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(BoardKindsView, (), (items, next_cursor))

struct RankView {
  std::string metric;
  std::string sport;
  std::string period;
  std::string unit;
  std::int64_t rank = 0;
  std::int64_t members = 0;
  double percentile = 0;
  std::int64_t score = 0;
  Timestamp reached_at;
};
BOOST_DESCRIBE_STRUCT(RankView, (),
                      (metric, sport, period, unit, rank, members, percentile, score, reached_at))

struct RanksView {
  std::vector<RankView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(RanksView, (), (items, next_cursor))

struct EntryView {
  WorkoutId workout_id;
  std::int64_t amount = 0;
  Timestamp ended_at;
};
BOOST_DESCRIBE_STRUCT(EntryView, (), (workout_id, amount, ended_at))

struct EntriesView {
  std::vector<EntryView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(EntriesView, (), (items, next_cursor))

constexpr std::int64_t kPageSize = 50;
constexpr std::int64_t kPageMax = 200;  // as http::QueryReader::limit has it
constexpr std::int64_t kEachSide = 5;
constexpr std::int64_t kAroundMax = 50;
constexpr std::int64_t kEntriesShown = 200;

/// The limit of a query that is `limit=` and one or two digits, or empty. nullopt for any other: that takes
/// the long way, which checks every bound and says what is wrong.
std::optional<std::int64_t> plain_limit(std::string_view raw_query, std::int64_t fallback, std::int64_t max) {
  constexpr std::string_view kName = "limit=";
  constexpr std::size_t kDigitsMax = 2;
  if (raw_query.empty()) return fallback;
  if (!raw_query.starts_with(kName) || raw_query.size() > kName.size() + kDigitsMax) return std::nullopt;
  const std::string_view digits = raw_query.substr(kName.size());
  std::int64_t limit = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), limit);
  if (failed != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (limit < 1 || limit > max || digits.front() == '0') return std::nullopt;
  return limit;
}

Result<BoardName> board_of(const http::Request& request) {
  return BoardName::parse(request.param("metric"), request.param("sport"), request.param("period"));
}

std::string state_of(const ranking::Ranking& ranking) {
  return ranking.state() == ranking::State::ready ? "ready" : "rebuilding";
}

std::vector<ItemView> items_of(const std::vector<ranking::Entry>& entries, std::vector<std::string> names) {
  std::vector<ItemView> items;
  items.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    items.push_back({.rank = entries[i].rank,
                     .user_id = entries[i].member,
                     .display_name = std::move(names[i]),
                     .score = entries[i].score,
                     .reached_at = entries[i].reached_at});
  }
  return items;
}

template <class View>
View view_of(const BoardName& board, const ranking::Ranking& ranking, std::int64_t members) {
  View view;
  view.metric = std::string(to_string(board.metric));
  view.sport = board.sport;
  view.period = board.period.to_string();
  view.unit = std::string(unit_of(board.metric));
  view.members = members;
  view.state = state_of(ranking);
  return view;
}

/// A cursor holds the last entry shown, so that paging is steady while scores move.
std::string position_of(const ranking::Entry& last) {
  return std::to_string(last.score) + " " + std::to_string(to_micros(last.reached_at)) + " " +
         last.member.to_string();
}

Result<ranking::Standing> standing_of(const std::string& position) {
  const std::size_t first = position.find(' ');
  const std::size_t second = position.find(' ', first + 1);
  const auto member = second == std::string::npos ? std::nullopt : UserId::parse(position.substr(second + 1));
  if (!member) return Error{Errc::invalid, "bad-cursor", "this cursor is not one of ours", "cursor"};
  return ranking::Standing{
      .member = *member,
      .score = std::stoll(position.substr(0, first)),
      .reached_at = from_micros(std::stoll(position.substr(first + 1, second - first - 1)))};
}

/// `me`, or somebody's id.
Result<UserId> person_of(const http::Request& request) {
  const std::string& text = request.param("user_id");
  if (text == "me") return request.user().user_id;
  const auto user_id = UserId::parse(text);
  if (!user_id) return Error{Errc::not_found, "not-found", "there is no such person", "user_id"};
  return *user_id;
}

}  // namespace

Result<http::Response> LeaderboardsApi::list(http::Request& request) {
  EKIDEN_CHECK(http::QueryReader(request, {}).check());
  const auto today = local_date(clock_.now(), std::chrono::seconds{0});
  std::vector<std::string> periods;
  periods.reserve(std::size(kPeriodKinds));
  for (const Period::Kind kind : kPeriodKinds) periods.push_back(Period::of(kind, today).to_string());
  BoardKindsView view;
  for (const Metric metric : kMetrics) {
    for (const std::string_view sport : kBoardSports) {
      view.items.push_back({.metric = std::string(to_string(metric)),
                            .sport = std::string(sport),
                            .unit = std::string(unit_of(metric)),
                            .periods = periods});
    }
  }
  return http::Response::json(200, json::write(view));
}

Result<std::vector<std::string>> LeaderboardsApi::names_of(const std::vector<ranking::Entry>& entries) const {
  std::vector<UserId> people;
  people.reserve(entries.size());
  for (const ranking::Entry& entry : entries) people.push_back(entry.member);
  // Where other processes take part, each hears of some people only: the table knows all.
  if (!ranking_.is_shared()) return names_.names_of(people);
  return db_.read([&people](sql::Tx& tx) { return read_names(tx, people); });
}

Result<std::string> LeaderboardsApi::page_of(const BoardName& board, std::int64_t limit,
                                             const std::optional<std::string>& position) const {
  const std::string key = board.to_key();
  std::vector<ranking::Entry> entries;
  if (position) {
    EKIDEN_TRY(const ranking::Standing last, standing_of(*position));
    EKIDEN_TRY(entries, ranking_.range_after(key, last, limit + 1));
  } else {
    EKIDEN_TRY(entries, ranking_.range(key, 1, limit + 1));
  }
  EKIDEN_TRY(const std::int64_t members, ranking_.size(key));
  auto view = view_of<BoardView>(board, ranking_, members);
  if (std::cmp_greater(entries.size(), limit)) {
    entries.pop_back();
    view.next_cursor = cursors_.seal(key, position_of(entries.back()));
  }
  EKIDEN_TRY(auto names, names_of(entries));
  view.items = items_of(entries, std::move(names));
  return json::write(view);
}

Result<KeptPages::Page> LeaderboardsApi::first_page(const BoardName& board, std::int64_t limit) const {
  const std::string key = board.to_key();
  // Everything is asked before it is read: a page may be newer than its stamp says, never older.
  const std::uint64_t names = names_.version();
  const ranking::State state = ranking_.state();
  const auto version = ranking_.version(key);
  const PageStamp stamp{.board = version.value_or(0), .names = names, .state = state};
  if (version) {
    if (auto kept = pages_.find(key, limit, stamp)) return kept;
  }
  EKIDEN_TRY(std::string body, page_of(board, limit, std::nullopt));
  auto page = std::make_shared<const std::string>(std::move(body));
  if (version) pages_.keep(key, limit, stamp, page);
  return page;
}

Result<std::string> LeaderboardsApi::around_of(const BoardName& board, UserId person,
                                               std::int64_t each_side) const {
  const std::string key = board.to_key();
  EKIDEN_TRY(const auto entries, ranking_.around(key, person, each_side, each_side));
  EKIDEN_TRY(const std::int64_t members, ranking_.size(key));
  auto view = view_of<AroundView>(board, ranking_, members);
  for (const ranking::Entry& entry : entries) {
    if (entry.member != person) continue;
    view.rank = entry.rank;
    view.percentile = percentile_of(entry.rank, members);
  }
  EKIDEN_TRY(auto names, names_of(entries));
  view.items = items_of(entries, std::move(names));
  return json::write(view);
}

Result<http::Response> LeaderboardsApi::page(http::Request& request) {
  const http::QueryReader query(request, {"limit", "cursor"});
  EKIDEN_CHECK(query.check());
  EKIDEN_TRY(const BoardName board, board_of(request));
  EKIDEN_TRY(const std::int64_t limit, query.limit(kPageSize));
  EKIDEN_TRY(const auto position, query.cursor(cursors_, board.to_key()));
  if (position) {
    EKIDEN_TRY(std::string body, page_of(board, limit, position));
    return http::Response::json(200, std::move(body));
  }
  EKIDEN_TRY(const KeptPages::Page first, first_page(board, limit));
  return http::Response::json(200, *first);
}

Result<http::Response> LeaderboardsApi::around(http::Request& request) {
  const http::QueryReader query(request, {"limit"});
  EKIDEN_CHECK(query.check());
  EKIDEN_TRY(const BoardName board, board_of(request));
  EKIDEN_TRY(const UserId person, person_of(request));
  EKIDEN_TRY(const std::int64_t each_side, query.number("limit", kEachSide, 1, kAroundMax));
  EKIDEN_TRY(std::string body, around_of(board, person, each_side));
  return http::Response::json(200, std::move(body));
}

bool LeaderboardsApi::page_fast(const http::FastCall& call, http::FastReply& reply) const {
  const auto limit = plain_limit(call.raw_query, kPageSize, kPageMax);
  const auto board = BoardName::parse(call.param("metric"), call.param("sport"), call.param("period"));
  // What has no version may have to be waited for.
  if (!limit || !board || !ranking_.version(board->to_key())) return false;
  const auto body = first_page(*board, *limit);
  if (!body) return false;
  reply.body = **body;
  return true;
}

bool LeaderboardsApi::around_fast(const http::FastCall& call, http::FastReply& reply) const {
  const auto each_side = plain_limit(call.raw_query, kEachSide, kAroundMax);
  if (!each_side || call.param("user_id") != "me") return false;
  const auto board = BoardName::parse(call.param("metric"), call.param("sport"), call.param("period"));
  if (!board || !ranking_.version(board->to_key())) return false;
  auto body = around_of(*board, call.identity.user_id, *each_side);
  if (!body) return false;
  reply.body = *std::move(body);
  return true;
}

Result<http::Response> LeaderboardsApi::behind(http::Request& request) {
  EKIDEN_CHECK(http::QueryReader(request, {}).check());
  EKIDEN_TRY(const BoardName board, board_of(request));
  EKIDEN_TRY(const UserId person, person_of(request));
  // Which workouts they are is the person's own business: others may not be allowed to see them.
  if (person != request.user().user_id)
    return Error{Errc::not_found, "not-found", "only one's own entries can be listed", "user_id"};
  EKIDEN_TRY(const auto entries,
             db_.read([&](sql::Tx& tx) { return entries_behind(tx, board.to_key(), person, kEntriesShown); },
                      request.deadline));
  EntriesView view;
  for (const LedgerEntry& entry : entries) {
    view.items.push_back(
        {.workout_id = entry.workout_id, .amount = entry.amount, .ended_at = entry.ended_at});
  }
  return http::Response::json(200, json::write(view));
}

Result<http::Response> LeaderboardsApi::my_ranks(http::Request& request) {
  EKIDEN_CHECK(http::QueryReader(request, {}).check());
  const UserId me = request.user().user_id;
  const auto today = local_date(clock_.now(), std::chrono::seconds{0});
  RanksView view;
  for (const Period::Kind kind : kPeriodKinds) {
    const Period period = Period::of(kind, today);
    for (const std::string_view sport : kBoardSports) {
      for (const Metric metric : kMetrics) {
        const BoardName board{metric, std::string(sport), period};
        const std::string key = board.to_key();
        EKIDEN_TRY(const auto entry, ranking_.rank(key, me));
        if (!entry) continue;
        EKIDEN_TRY(const std::int64_t members, ranking_.size(key));
        view.items.push_back({.metric = std::string(to_string(metric)),
                              .sport = board.sport,
                              .period = period.to_string(),
                              .unit = std::string(unit_of(metric)),
                              .rank = entry->rank,
                              .members = members,
                              .percentile = percentile_of(entry->rank, members),
                              .score = entry->score,
                              .reached_at = entry->reached_at});
      }
    }
  }
  return http::Response::json(200, json::write(view));
}

std::vector<http::Route> LeaderboardsApi::routes(LeaderboardsApi* api) {
  constexpr std::string_view kScope = "leaderboards:read";
  const auto call = [api](Result<http::Response> (LeaderboardsApi::*method)(http::Request&)) {
    return http::BlockingHandler([api, method](http::Request& request) { return (api->*method)(request); });
  };
  // What answers on the gateway's loop must not wait: with a ranking elsewhere, requests take a thread.
  const auto fast = [api](bool (LeaderboardsApi::*method)(const http::FastCall&, http::FastReply&) const) {
    if (api == nullptr || api->ranking_.is_shared()) return http::FastHandler{};
    return http::FastHandler([api, method](const http::FastCall& asked, http::FastReply& reply) {
      return (api->*method)(asked, reply);
    });
  };
  return {
      {.verb = http::Verb::get,
       .pattern = "/api/v1/leaderboards",
       .handler = call(&LeaderboardsApi::list),
       .scope = kScope,
       .doc = {.summary = "Which boards there are",
               .tag = "leaderboards",
               .response_schema = json::schema_of<BoardKindsView>}},
      {.verb = http::Verb::get,
       .pattern = "/api/v1/leaderboards/{metric}/{sport}/{period}",
       .handler = call(&LeaderboardsApi::page),
       .scope = kScope,
       .doc = {.summary = "A board, from the top",
               .tag = "leaderboards",
               .response_schema = json::schema_of<BoardView>,
               .query_parameters = {"limit", "cursor"}},
       .fast = fast(&LeaderboardsApi::page_fast)},
      {.verb = http::Verb::get,
       .pattern = "/api/v1/leaderboards/{metric}/{sport}/{period}/around/{user_id}",
       .handler = call(&LeaderboardsApi::around),
       .scope = kScope,
       .doc = {.summary = "A person's neighbours on a board",
               .tag = "leaderboards",
               .response_schema = json::schema_of<AroundView>,
               .query_parameters = {"limit"}},
       .fast = fast(&LeaderboardsApi::around_fast)},
      {.verb = http::Verb::get,
       .pattern = "/api/v1/leaderboards/{metric}/{sport}/{period}/entries/{user_id}",
       .handler = call(&LeaderboardsApi::behind),
       .scope = kScope,
       .doc = {.summary = "The workouts behind one's score",
               .tag = "leaderboards",
               .response_schema = json::schema_of<EntriesView>}},
      {.verb = http::Verb::get,
       .pattern = "/api/v1/me/ranks",
       .handler = call(&LeaderboardsApi::my_ranks),
       .scope = kScope,
       .doc = {.summary = "Where one stands today",
               .tag = "leaderboards",
               .response_schema = json::schema_of<RanksView>}},
  };
}

}  // namespace ekiden::gamification
