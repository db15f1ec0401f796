#include "services/gamification/service.hpp"

#include <memory>
#include <thread>

#include "delivery/outbox.hpp"
#include "services/gamification/api/leaderboards.hpp"
#include "services/gamification/audit.hpp"
#include "services/gamification/consumers/users.hpp"
#include "services/gamification/consumers/workouts.hpp"
#include "services/gamification/projection.hpp"

namespace ekiden::gamification {

namespace {

constexpr Option<std::int64_t> kThreads{.key = "gamification.threads", .help = "Threads that answer requests, one each.",
                                        .fallback = 4, .min = 1, .max = 512};
constexpr Option<std::int64_t> kQueueMax{.key = "gamification.queue_max",
                                         .help = "Requests that wait for a thread; more get 503.", .fallback = 1024, .min = 1,
                                         .max = 100'000};
constexpr std::int64_t kPeopleAtOnce = 10'000;

struct State {
  explicit State(GamificationParts parts)
      : db(parts.db),
        logger(parts.logger),
        projection(parts.db, parts.ranking, std::string(kBoardsGroup), parts.clock, parts.logger),
        leaderboards(parts.db, parts.ranking, names, parts.cursors, parts.clock) {}

  sql::Database& db;
  Logger logger;
  NameDirectory names;
  Projection projection;
  LeaderboardsApi leaderboards;
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

/// The ranking is empty at every start: it is made anew before the consumers go on.
void load(State& state) {
  Result<void> outcome = load_names(state.db, state.names);
  if (outcome) outcome = state.projection.rebuild();
  if (!outcome) throw std::runtime_error("the ranking cannot be rebuilt: " + outcome.error().text());
}

}  // namespace

std::vector<OptionInfo> options() { return {kThreads, kQueueMax}; }

GamificationConfig read_config(const Config& config) {
  return {.request_threads = config.get(kThreads), .request_queue_max = config.get(kQueueMax)};
}

std::vector<sql::Migration> migrations() {
  return {delivery::kDeliveryMigration,
#include "migrations.inc"
  };
}

services::ServiceSpec gamification_service(GamificationParts parts, GamificationConfig config) {
  auto state = std::make_shared<State>(parts);
  services::ServiceSpec spec;
  spec.name = "gamification";
  spec.model = runtime::ThreadPool{.threads = static_cast<std::size_t>(config.request_threads),
                                   .queue_max = static_cast<std::size_t>(config.request_queue_max)};
  spec.migrations = migrations();
  spec.routes = state->leaderboards.routes();
  spec.prepare = [raw = state.get()] { load(*raw); };
  spec.consumers = {workouts_subscription(state->projection, parts.clock), users_subscription(state->projection, state->names, parts.clock)};
  spec.audits = audits(parts.db, &parts.ranking, &state->projection);
  spec.rebuilds = {{.name = "ranking", .run = [raw = state.get()] { return raw->projection.rebuild(); }}};
  spec.ready = [&ranking = parts.ranking] { return ranking.state() == ranking::State::ready; };
  spec.state = std::move(state);
  return spec;
}

}  // namespace ekiden::gamification
