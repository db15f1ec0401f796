#include "services/inventory/api/gear.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "json/json.hpp"
#include "runtime/sql_task.hpp"
#include "services/idempotency.hpp"
#include "services/inventory/domain/views.hpp"
#include "services/inventory/domain/wear.hpp"
#include "services/inventory/jobs/photo_removal.hpp"
#include "services/inventory/store/defaults.hpp"
#include "services/inventory/store/ledger.hpp"
#include "services/inventory/store/people.hpp"

namespace ekiden::inventory {

namespace {

Error unknown_gear() {
  return {Errc::not_found, "not-found", "there is no such gear"};
}

Result<GearFilter> read_filter(const http::QueryReader& query) {
  GearFilter filter;
  if (const auto kind = query.text("kind")) {
    filter.kind = parse_kind(*kind);
    if (!filter.kind)
      return Error{Errc::invalid, "bad-parameter", "give one of shoes, bike, part, other", "kind"};
  }
  if (const auto retired = query.text("retired")) {
    if (*retired != "true" && *retired != "false")
      return Error{Errc::invalid, "bad-parameter", "give true or false", "retired"};
    filter.retired = *retired == "true";
  }
  return filter;
}

std::string list_name(UserId user_id, const GearFilter& filter) {
  std::string name = "gear:" + user_id.to_string() + ":";
  if (filter.kind) name += to_string(*filter.kind);
  if (filter.retired) name += *filter.retired ? ":retired" : ":used";
  return name;
}

Error bad_cursor() {
  return {Errc::invalid, "bad-cursor", "this cursor is none of this list", "cursor"};
}

/// A place in the list of what is due: millionths of the expected life, then the id.
using DuePlace = std::pair<std::int64_t, GearId>;

DuePlace due_place(const Gear& gear) {
  constexpr double kMillion = 1'000'000;
  return {static_cast<std::int64_t>(std::floor(share_used(gear).value_or(0) * kMillion)), gear.gear_id};
}

Result<DuePlace> read_due_place(std::string_view text) {
  std::int64_t share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto id = rest.empty() ? std::nullopt : GearId::parse(rest.substr(1));
  if (error != std::errc{} || !id) return bad_cursor();
  return DuePlace{share, *id};
}

}  // namespace

Result<Gear> own_gear(sql::Tx& tx, std::string_view id, UserId owner) {
  const auto gear_id = GearId::parse(id);
  if (!gear_id) return unknown_gear();
  EKIDEN_TRY(std::optional<Gear> gear, find_gear(tx, *gear_id));
  if (!gear || gear->user_id != owner) return unknown_gear();
  return *std::move(gear);
}

Result<void> check_account(sql::Tx& tx, UserId user_id) {
  EKIDEN_TRY(const bool erased, is_erased(tx, user_id));
  if (erased) return Error{Errc::unauthenticated, "invalid-token", "this account has been deleted"};
  return {};
}

http::Response show_gear(int status, const Gear& gear) {
  http::Response response = http::Response::json(status, json::write(view_of(gear)));
  response.headers.set("ETag", http::etag_of_version(gear.version));
  response.headers.set("Cache-Control", "private, no-cache");
  return response;
}

runtime::Task<Result<http::Response>> GearApi::list(http::Request request) {
  const http::QueryReader query(request, {"kind", "retired", "limit", "cursor"});
  EKIDEN_CO_CHECK(query.check());
  EKIDEN_CO_TRY(const std::int64_t limit, query.limit());
  EKIDEN_CO_TRY(const GearFilter filter, read_filter(query));
  const UserId user_id = request.user().user_id;
  const std::string list = list_name(user_id, filter);
  EKIDEN_CO_TRY(const auto position, query.cursor(parts_.cursors, list));
  const std::optional<GearId> after = position ? GearId::parse(*position) : std::nullopt;
  if (position && !after) co_return bad_cursor();
  auto body = [user_id, filter, after, limit](sql::Tx& tx) {
    return list_gear(tx, user_id, filter, after, limit + 1);
  };
  EKIDEN_CO_TRY(auto all, co_await runtime::read(parts_.db, body, request.deadline));
  GearListView view;
  if (std::cmp_greater(all.size(), limit)) {
    all.pop_back();
    view.next_cursor = parts_.cursors.seal(list, all.back().gear_id.to_string());
  }
  view.items.reserve(all.size());
  for (const Gear& gear : all) view.items.push_back(view_of(gear));
  co_return http::Response::json(200, json::write(view));
}

runtime::Task<Result<http::Response>> GearApi::create(http::Request request) {
  EKIDEN_CO_TRY(const CreateBody body, json::read<CreateBody>(request.body));
  auto write = [this, &request, &body](sql::Tx& tx) {
    const auto make = [&] { return insert(tx, request, body); };
    return services::create_once(tx, request, request.user().user_id, parts_.clock.now(), make);
  };
  co_return co_await runtime::write(parts_.db, write, request.deadline);
}

Result<http::Response> GearApi::insert(sql::Tx& tx, const http::Request& request,
                                       const CreateBody& body) const {
  const UserId user_id = request.user().user_id;
  EKIDEN_CHECK(check_account(tx, user_id));
  EKIDEN_TRY(Gear gear, make_gear(body, parts_.clock.now()));
  EKIDEN_TRY(const std::int64_t count, count_gear(tx, user_id));
  if (count >= parts_.config.gear_max) {
    return Error{Errc::conflict, "too-much-gear",
                 "there are at most " + std::to_string(parts_.config.gear_max) + " pieces for each person"};
  }
  gear.gear_id = parts_.ids.make<GearId>();
  gear.user_id = user_id;
  EKIDEN_CHECK(parts_.settler.tell_new(tx, gear, request.trace.to_traceparent()));
  EKIDEN_CHECK(insert_gear(tx, gear));
  http::Response response = show_gear(201, gear);
  response.headers.set("Location", "/api/v1/gear/" + gear.gear_id.to_string());
  return response;
}

runtime::Task<Result<http::Response>> GearApi::due(http::Request request) {
  const http::QueryReader query(request, {"limit", "cursor"});
  EKIDEN_CO_CHECK(query.check());
  EKIDEN_CO_TRY(const std::int64_t limit, query.limit());
  const UserId user_id = request.user().user_id;
  const std::string list = "gear-due:" + user_id.to_string();
  EKIDEN_CO_TRY(const auto position, query.cursor(parts_.cursors, list));
  auto body = [user_id](sql::Tx& tx) { return list_wearing(tx, user_id); };
  EKIDEN_CO_TRY(auto all, co_await runtime::read(parts_.db, body, request.deadline));
  // A person has so few that sorting them costs less than an index that every workout would change.
  std::ranges::sort(all, std::greater{}, due_place);
  auto first = all.begin();
  if (position) {
    EKIDEN_CO_TRY(const DuePlace after, read_due_place(*position));
    first = std::ranges::find_if(all, [&](const Gear& gear) { return due_place(gear) < after; });
  }
  DueListView view;
  for (; first != all.end() && std::cmp_less(view.items.size(), limit); ++first)
    view.items.push_back(due_view_of(*first));
  if (first != all.end()) {
    const auto [share, gear_id] = due_place(*std::prev(first));
    view.next_cursor = parts_.cursors.seal(list, std::to_string(share) + "/" + gear_id.to_string());
  }
  co_return http::Response::json(200, json::write(view));
}

runtime::Task<Result<http::Response>> GearApi::show(http::Request request) {
  auto body = [id = request.param("id"), owner = request.user().user_id](sql::Tx& tx) {
    return own_gear(tx, id, owner);
  };
  EKIDEN_CO_TRY(const Gear gear, co_await runtime::read(parts_.db, body, request.deadline));
  co_return http::with_etag(request, http::etag_of_version(gear.version), show_gear(200, gear));
}

runtime::Task<Result<http::Response>> GearApi::change(http::Request request) {
  EKIDEN_CO_TRY(const ChangeBody body, json::read<ChangeBody>(request.body));
  auto write = [this, &request, &body](sql::Tx& tx) { return edit(tx, request, body); };
  EKIDEN_CO_TRY(const Gear gear, co_await runtime::write(parts_.db, write, request.deadline));
  co_return show_gear(200, gear);
}

Result<Gear> GearApi::edit(sql::Tx& tx, const http::Request& request, const ChangeBody& body) const {
  EKIDEN_TRY(Gear seen, own_gear(tx, request.param("id"), request.user().user_id));
  EKIDEN_CHECK(require_if_match(request, seen.version));
  EKIDEN_TRY(Gear next, apply_change(seen, body, parts_.clock.now()));
  if (next == seen) return seen;
  if (next.is_retired() && !seen.is_retired()) EKIDEN_CHECK(remove_from_defaults(tx, next));
  EKIDEN_CHECK(parts_.settler.write_edit(tx, seen, next, request.trace.to_traceparent()));
  return next;
}

runtime::Task<Result<http::Response>> GearApi::remove(http::Request request) {
  auto body = [this, &request](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(const Gear gear, own_gear(tx, request.param("id"), request.user().user_id));
    EKIDEN_CHECK(require_if_match(request, gear.version));
    EKIDEN_CHECK(remove_from_defaults(tx, gear));
    EKIDEN_CHECK(delete_gear(tx, gear));
    if (!gear.photo) return {};
    return remove_photos(tx, parts_.jobs, {gear.photo->hash}, parts_.clock.now());
  };
  EKIDEN_CO_CHECK(co_await runtime::write(parts_.db, body, request.deadline));
  co_return http::Response::no_content();
}

runtime::Task<Result<http::Response>> GearApi::months(http::Request request) {
  const http::QueryReader query(request, {"limit", "cursor"});
  EKIDEN_CO_CHECK(query.check());
  EKIDEN_CO_TRY(const std::int64_t limit, query.limit());
  const std::string list = "gear-months:" + request.param("id");
  EKIDEN_CO_TRY(const auto position, query.cursor(parts_.cursors, list));
  auto body = [id = request.param("id"), owner = request.user().user_id, before = position.value_or(""),
               limit](sql::Tx& tx) -> Result<std::vector<MonthUse>> {
    EKIDEN_TRY(const Gear gear, own_gear(tx, id, owner));
    return months_of(tx, gear.gear_id, before, limit + 1);
  };
  EKIDEN_CO_TRY(auto all, co_await runtime::read(parts_.db, body, request.deadline));
  MonthsView view;
  if (std::cmp_greater(all.size(), limit)) {
    all.pop_back();
    view.next_cursor = parts_.cursors.seal(list, all.back().month);
  }
  for (const MonthUse& month : all) view.items.push_back(view_of(month));
  co_return http::Response::json(200, json::write(view));
}

std::vector<http::Route> GearApi::routes(GearApi* api) {
  using http::BodyPolicy;
  using http::RateClass;
  using http::Verb;
  using Method = runtime::Task<Result<http::Response>> (GearApi::*)(http::Request);
  const auto call = [api](Method method) {
    return http::CoroutineHandler(
        [api, method](http::Request request) { return (api->*method)(std::move(request)); });
  };
  return {
      {.verb = Verb::get,
       .pattern = "/api/v1/gear",
       .handler = call(&GearApi::list),
       .doc = {.summary = "One's gear, the newest first",
               .tag = "gear",
               .response_schema = json::schema_of<GearListView>,
               .query_parameters = {"kind", "retired", "limit", "cursor"}}},
      {.verb = Verb::post,
       .pattern = "/api/v1/gear",
       .handler = call(&GearApi::create),
       .rate_class = RateClass::write,
       .body = BodyPolicy::json(),
       .idempotent = http::Idempotent::yes,
       .doc = {.summary = "Enter a piece of gear",
               .tag = "gear",
               .request_schema = json::schema_of<CreateBody>,
               .response_schema = json::schema_of<GearView>,
               .success_status = 201}},
      {.verb = Verb::get,
       .pattern = "/api/v1/gear/due",
       .handler = call(&GearApi::due),
       .doc = {.summary = "What is wearing out, the most worn first",
               .tag = "gear",
               .response_schema = json::schema_of<DueListView>,
               .query_parameters = {"limit", "cursor"}}},
      {.verb = Verb::get,
       .pattern = "/api/v1/gear/{id}",
       .handler = call(&GearApi::show),
       .doc = {.summary = "A piece of gear", .tag = "gear", .response_schema = json::schema_of<GearView>}},
      {.verb = Verb::patch,
       .pattern = "/api/v1/gear/{id}",
       .handler = call(&GearApi::change),
       .rate_class = RateClass::write,
       .body = BodyPolicy::json(),
       .doc = {.summary = "Change a piece of gear; needs If-Match",
               .tag = "gear",
               .request_schema = json::schema_of<ChangeBody>,
               .response_schema = json::schema_of<GearView>}},
      {.verb = Verb::del,
       .pattern = "/api/v1/gear/{id}",
       .handler = call(&GearApi::remove),
       .rate_class = RateClass::write,
       .doc = {.summary = "Delete a piece of gear; needs If-Match", .tag = "gear", .success_status = 204}},
      {.verb = Verb::get,
       .pattern = "/api/v1/gear/{id}/months",
       .handler = call(&GearApi::months),
       .doc = {.summary = "What a piece of gear did, month by month, the latest first",
               .tag = "gear",
               .response_schema = json::schema_of<MonthsView>,
               .query_parameters = {"limit", "cursor"}}},
  };
}

}  // namespace ekiden::inventory
