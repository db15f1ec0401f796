#include "services/inventory/api/defaults.hpp"

#include <algorithm>

#include "json/json.hpp"
#include "runtime/sql_task.hpp"
#include "services/inventory/domain/views.hpp"
#include "services/inventory/store/defaults.hpp"

namespace ekiden::inventory {

namespace {

http::Response show_defaults(const DefaultSet& set) {
  http::Response response = http::Response::json(200, json::write(view_of(set)));
  response.headers.set("ETag", http::etag_of_version(set.version));
  response.headers.set("Cache-Control", "private, no-cache");
  return response;
}

/// Each piece is the person's own, and in use.
Result<void> check_pieces(sql::Tx& tx, UserId user_id, const Defaults& sports) {
  std::vector<GearId> gear_ids;
  for (const auto& [sport, pieces] : sports) gear_ids.insert(gear_ids.end(), pieces.begin(), pieces.end());
  EKIDEN_TRY(const std::vector<Gear> found, find_gear(tx, gear_ids));
  for (const auto& [sport, pieces] : sports) {
    for (const GearId gear_id : pieces) {
      const auto gear = std::ranges::find(found, gear_id, &Gear::gear_id);
      const std::string field = "sports." + sport;
      if (gear == found.end() || gear->user_id != user_id)
        return Error{Errc::invalid, "unknown-gear", "there is no such gear", field};
      if (gear->is_retired())
        return Error{Errc::invalid, "retired-gear", "what is retired cannot be a default", field};
    }
  }
  return {};
}

}  // namespace

runtime::Task<Result<http::Response>> DefaultsApi::show(http::Request request) {
  auto body = [user_id = request.user().user_id](sql::Tx& tx) { return find_defaults(tx, user_id); };
  EKIDEN_CO_TRY(const DefaultSet set, co_await runtime::read(parts_.db, body, request.deadline));
  co_return http::with_etag(request, http::etag_of_version(set.version), show_defaults(set));
}

runtime::Task<Result<http::Response>> DefaultsApi::replace(http::Request request) {
  EKIDEN_CO_TRY(const DefaultsBody body, json::read<DefaultsBody>(request.body));
  EKIDEN_CO_TRY(const Defaults sports, read_defaults(body));
  auto write = [&request, &sports](sql::Tx& tx) -> Result<DefaultSet> {
    const UserId user_id = request.user().user_id;
    EKIDEN_CHECK(check_account(tx, user_id));
    EKIDEN_TRY(DefaultSet seen, find_defaults(tx, user_id));
    EKIDEN_CHECK(require_if_match(request, seen.version));
    EKIDEN_CHECK(check_pieces(tx, user_id, sports));
    if (seen.sports == sports) return seen;
    DefaultSet next{.version = seen.version + 1, .sports = sports};
    EKIDEN_CHECK(put_defaults(tx, user_id, next));
    return next;
  };
  EKIDEN_CO_TRY(const DefaultSet set, co_await runtime::write(parts_.db, write, request.deadline));
  co_return show_defaults(set);
}

std::vector<http::Route> DefaultsApi::routes(DefaultsApi* api) {
  using http::Verb;
  using Method = runtime::Task<Result<http::Response>> (DefaultsApi::*)(http::Request);
  const auto call = [api](Method method) {
    return http::CoroutineHandler(
        [api, method](http::Request request) { return (api->*method)(std::move(request)); });
  };
  return {
      {.verb = Verb::get,
       .pattern = "/api/v1/gear/defaults",
       .handler = call(&DefaultsApi::show),
       .doc = {.summary = "What workouts of each sport count for that name no gear",
               .tag = "gear",
               .response_schema = json::schema_of<DefaultsView>}},
      {.verb = Verb::put,
       .pattern = "/api/v1/gear/defaults",
       .handler = call(&DefaultsApi::replace),
       .rate_class = http::RateClass::write,
       .body = http::BodyPolicy::json(),
       .doc = {.summary = "Replace the defaults of all sports, from the next workout on; needs If-Match",
               .tag = "gear",
               .request_schema = json::schema_of<DefaultsBody>,
               .response_schema = json::schema_of<DefaultsView>}},
  };
}

}  // namespace ekiden::inventory
