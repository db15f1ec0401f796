#include "services/gamification/service.hpp"

#include <memory>

#include "delivery/outbox.hpp"
#include "runtime/job_runner.hpp"
#include "services/gamification/api/leaderboards.hpp"
#include "services/gamification/audit.hpp"
#include "services/gamification/consumers/users.hpp"
#include "services/gamification/consumers/workouts.hpp"
#include "services/gamification/keeper.hpp"
#include "services/gamification/past_boards.hpp"
#include "services/gamification/projection.hpp"
#include "services/gamification/store/ledger.hpp"

namespace ekiden::gamification {

namespace {

constexpr Option<std::int64_t> kThreads{.key = "gamification.threads",
                                        .help = "Threads that answer requests, one each.",
                                        .fallback = 4,
                                        .min = 1,
                                        .max = 512};
constexpr Option<std::int64_t> kQueueMax{.key = "gamification.queue_max",
                                         .help = "Requests that wait for a thread; more get 503.",
                                         .fallback = 1024,
                                         .min = 1,
                                         .max = 100'000};
constexpr std::int64_t kPeopleAtOnce = 10'000;

/// What an audit finds, as the error of its job.
Result<void> audit_ranking(sql::Database& db, const ranking::Ranking& ranking, Projection& projection) {
  EKIDEN_TRY(const std::vector<std::string> findings, ranking_equals_scores(db, ranking, projection, false));
  if (findings.empty()) return {};
  std::string text;
  for (const std::string& finding : findings) text += finding + "\n";
  return Error{Errc::invalid, "audit-findings", std::move(text)};
}

/// Every read waits for one of the database's threads.
PastSource past_source(sql::Database& db) {
  return {.read =
              [&db](const std::string& board) {
                return db.read([&](sql::Tx& tx) { return read_board(tx, board); });
              },
          .names =
              [&db](std::string_view prefix) {
                return db.read([&](sql::Tx& tx) { return board_names(tx, prefix); });
              }};
}

struct State {
  explicit State(GamificationParts parts)
      : db(parts.db),
        past_boards(parts.ranking, past_source(parts.db), parts.clock),
        ranking(parts.ranking.is_shared() ? parts.ranking : past_boards),
        projection(parts.db, ranking, {std::string(kBoardsGroup), std::string(kPeopleGroup)}, parts.clock,
                   parts.logger),
        keeper(parts.db, ranking, projection, parts.ids.next().to_string(), parts.clock, parts.logger),
        leaderboards(parts.db, ranking, names, parts.cursors, parts.clock),
        job_pool({.service = "gamification", .name = "jobs"}, {.threads = 1, .queue_max = 16, .nice = 5},
                 parts.logger, parts.figures),
        jobs(parts.clock, parts.ids),
        job_runner({.service = "gamification", .concurrent_max = 1, .process = parts.process}, jobs, parts.db,
                   {.pool = &job_pool, .loops = nullptr}, job_kinds(), parts.clock, parts.random,
                   parts.logger, parts.figures) {}

  std::vector<runtime::JobKind> job_kinds() {
    return {{.kind = std::string(kRebuildRankingJob),
             .handler =
                 runtime::BlockingJobHandler([this](const runtime::Job&) { return projection.rebuild(); })},
            {.kind = std::string(kAuditRankingJob),
             .handler = runtime::BlockingJobHandler(
                 [this](const runtime::Job&) { return audit_ranking(db, ranking, projection); })}};
  }

  sql::Database& db;
  NameDirectory names;
  PastBoards past_boards;  ///< not used where the ranking is shared
  ranking::Ranking& ranking;
  Projection projection;
  Keeper keeper;
  LeaderboardsApi leaderboards;
  runtime::CpuPool job_pool;
  runtime::JobQueue jobs;
  runtime::JobRunner job_runner;
};

Result<void> load_names(sql::Database& db, NameDirectory& names) {
  UserId last;
  for (;;) {
    EKIDEN_TRY(auto people, db.read([&](sql::Tx& tx) { return list_people(tx, last, kPeopleAtOnce); }));
    if (people.empty()) return {};
    last = people.back().user_id;
    for (Person& person : people) names.put(person.user_id, std::move(person.display_name));
  }
}

/// A ranking in memory is empty at every start: it is made anew before the consumers go on.
void load(State& state) {
  Result<void> outcome = load_names(state.db, state.names);
  if (outcome) outcome = state.keeper.enter();
  if (!outcome) throw std::runtime_error("the ranking cannot be rebuilt: " + outcome.error().text());
}

}  // namespace

std::vector<http::Route> routes(const GamificationConfig&) {
  return LeaderboardsApi::routes(nullptr);
}

std::vector<OptionInfo> options() {
  return {kThreads, kQueueMax};
}

GamificationConfig read_config(const Config& config) {
  return {.request_threads = config.get(kThreads), .request_queue_max = config.get(kQueueMax)};
}

std::vector<sql::Migration> migrations() {
  return {
      delivery::kDeliveryMigration,
      runtime::kJobsMigration,
#include "migrations.inc"
      runtime::kJobsOwnerMigration,
  };
}

runtime::Model model(const GamificationConfig& config) {
  return runtime::ThreadPool{.threads = static_cast<std::size_t>(config.request_threads),
                             .queue_max = static_cast<std::size_t>(config.request_queue_max)};
}

services::ServiceSpec gamification_service(GamificationParts parts, GamificationConfig config) {
  auto state = std::make_shared<State>(parts);
  services::ServiceSpec spec;
  spec.name = "gamification";
  spec.model = model(config);
  spec.migrations = migrations();
  spec.routes = LeaderboardsApi::routes(&state->leaderboards);
  spec.prepare = [raw = state.get()] { load(*raw); };
  spec.consumers = {workouts_subscription(state->projection, parts.clock),
                    users_subscription(state->projection, state->names, parts.clock)};
  spec.background = {{.name = "jobs",
                      .start = [raw = state.get()] { raw->job_runner.start(); },
                      .stop = [raw = state.get()] { raw->job_runner.stop(); }},
                     {.name = "ranking",
                      .start = [raw = state.get()] { raw->keeper.start(); },
                      .stop = [raw = state.get()] { raw->keeper.stop(); }}};
  spec.audits = audits(parts.db);
  spec.ready = [&ranking = parts.ranking] { return ranking.state() == ranking::State::ready; };
  spec.state = std::move(state);
  return spec;
}

}  // namespace ekiden::gamification
