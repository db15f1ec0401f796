#include "services/inventory/api/mountings.hpp"

#include <charconv>

#include "json/json.hpp"
#include "runtime/sql_task.hpp"
#include "services/idempotency.hpp"
#include "services/inventory/domain/views.hpp"
#include "services/inventory/store/mountings.hpp"

namespace ekiden::inventory {

namespace {

http::Response show_mounting(int status, const Mounting& mounting) {
  http::Response response = http::Response::json(status, json::write(view_of(mounting)));
  response.headers.set("ETag", http::etag_of_version(mounting.version));
  response.headers.set("Cache-Control", "private, no-cache");
  return response;
}

std::string write_place(const Mounting& mounting) {
  return std::to_string(to_micros(mounting.mounted_at)) + "/" + mounting.mounting_id.to_string();
}

Result<MountingPlace> read_place(std::string_view text) {
  std::int64_t micros = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), micros);
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto id = rest.empty() ? std::nullopt : MountingId::parse(rest.substr(1));
  if (error != std::errc{} || !id)
    return Error{Errc::invalid, "bad-cursor", "this cursor is none of this list", "cursor"};
  return MountingPlace{from_micros(micros), *id};
}

Result<Gear> own_part(sql::Tx& tx, const http::Request& request) {
  EKIDEN_TRY(Gear gear, own_gear(tx, request.param("id"), request.user().user_id));
  if (gear.kind == Kind::part) return gear;
  return Error{Errc::invalid, "not-a-part", "only a part can be mounted on a bike", "id"};
}

/// The mounting that the path names, which is one of this part.
Result<Mounting> own_mounting(sql::Tx& tx, const http::Request& request) {
  const Error unknown{Errc::not_found, "not-found", "there is no such mounting"};
  EKIDEN_TRY(const Gear part, own_gear(tx, request.param("id"), request.user().user_id));
  const auto mounting_id = MountingId::parse(request.param("mounting_id"));
  if (!mounting_id) return unknown;
  EKIDEN_TRY(std::optional<Mounting> mounting, find_mounting(tx, *mounting_id));
  if (!mounting || mounting->part_id != part.gear_id) return unknown;
  return *std::move(mounting);
}

Result<void> check_mounting(sql::Tx& tx, const Mounting& mounting) {
  EKIDEN_TRY(const std::optional<Gear> bike, find_gear(tx, mounting.bike_id));
  if (!bike || bike->user_id != mounting.user_id)
    return Error{Errc::invalid, "unknown-gear", "there is no such bike", "bike_id"};
  if (bike->kind != Kind::bike)
    return Error{Errc::invalid, "not-a-bike", "a part is mounted on a bike", "bike_id"};
  EKIDEN_TRY(const bool overlapping, overlaps(tx, mounting));
  if (!overlapping) return {};
  return Error{Errc::conflict, "overlapping-mounting",
               "the part was mounted at that time already: end the other mounting first", "mounted_at"};
}

}  // namespace

runtime::Task<Result<http::Response>> MountingsApi::list(http::Request request) {
  const http::QueryReader query(request, {"limit", "cursor"});
  EKIDEN_CO_CHECK(query.check());
  EKIDEN_CO_TRY(const std::int64_t limit, query.limit());
  const std::string list = "mountings:" + request.param("id");
  EKIDEN_CO_TRY(const auto position, query.cursor(parts_.cursors, list));
  std::optional<MountingPlace> after;
  if (position) {
    EKIDEN_CO_TRY(after, read_place(*position));
  }
  auto body = [id = request.param("id"), owner = request.user().user_id, after,
               limit](sql::Tx& tx) -> Result<std::vector<Mounting>> {
    EKIDEN_TRY(const Gear gear, own_gear(tx, id, owner));
    return list_mountings(tx, gear, after, limit + 1);
  };
  EKIDEN_CO_TRY(auto all, co_await runtime::read(parts_.db, body, request.deadline));
  MountingsView view;
  if (std::cmp_greater(all.size(), limit)) {
    all.pop_back();
    view.next_cursor = parts_.cursors.seal(list, write_place(all.back()));
  }
  for (const Mounting& mounting : all) view.items.push_back(view_of(mounting));
  co_return http::Response::json(200, json::write(view));
}

runtime::Task<Result<http::Response>> MountingsApi::create(http::Request request) {
  EKIDEN_CO_TRY(const MountBody body, json::read<MountBody>(request.body));
  auto write = [this, &request, &body](sql::Tx& tx) {
    const auto make = [&] { return insert(tx, request, body); };
    return services::create_once(tx, request, request.user().user_id, parts_.clock.now(), make);
  };
  co_return co_await runtime::write(parts_.db, write, request.deadline);
}

Result<http::Response> MountingsApi::insert(sql::Tx& tx, const http::Request& request,
                                            const MountBody& body) const {
  EKIDEN_TRY(const Gear part, own_part(tx, request));
  const Mounting mounting{.mounting_id = parts_.ids.make<MountingId>(),
                          .user_id = part.user_id,
                          .part_id = part.gear_id,
                          .bike_id = body.bike_id,
                          .mounted_at = body.mounted_at,
                          .unmounted_at = body.unmounted_at};
  EKIDEN_CHECK(check_times(mounting, parts_.clock.now()));
  EKIDEN_CHECK(check_mounting(tx, mounting));
  EKIDEN_TRY(const std::int64_t count, count_mountings(tx, part.gear_id));
  if (count >= parts_.config.mountings_max) {
    return Error{Errc::conflict, "too-many-mountings",
                 "a part has at most " + std::to_string(parts_.config.mountings_max) + " mountings"};
  }
  EKIDEN_CHECK(insert_mounting(tx, mounting));
  EKIDEN_CHECK(parts_.settler.recount_part(tx, part.gear_id, request.trace.to_traceparent()));
  http::Response response = show_mounting(201, mounting);
  response.headers.set("Location", "/api/v1/gear/" + part.gear_id.to_string() + "/mountings/" +
                                       mounting.mounting_id.to_string());
  return response;
}

runtime::Task<Result<http::Response>> MountingsApi::show(http::Request request) {
  auto body = [&request](sql::Tx& tx) { return own_mounting(tx, request); };
  EKIDEN_CO_TRY(const Mounting mounting, co_await runtime::read(parts_.db, body, request.deadline));
  co_return http::with_etag(request, http::etag_of_version(mounting.version), show_mounting(200, mounting));
}

runtime::Task<Result<http::Response>> MountingsApi::change(http::Request request) {
  EKIDEN_CO_TRY(const MountChangeBody body, json::read<MountChangeBody>(request.body));
  auto write = [this, &request, &body](sql::Tx& tx) { return edit(tx, request, body); };
  EKIDEN_CO_TRY(const Mounting mounting, co_await runtime::write(parts_.db, write, request.deadline));
  co_return show_mounting(200, mounting);
}

Result<Mounting> MountingsApi::edit(sql::Tx& tx, const http::Request& request,
                                    const MountChangeBody& body) const {
  EKIDEN_TRY(const Mounting seen, own_mounting(tx, request));
  EKIDEN_CHECK(require_if_match(request, seen.version));
  EKIDEN_TRY(Mounting next, apply_change(seen, body, parts_.clock.now()));
  if (next == seen) return seen;
  EKIDEN_CHECK(check_mounting(tx, next));
  next.version += 1;
  EKIDEN_TRY(const bool updated, update_mounting(tx, next));
  if (!updated)
    return Error{Errc::unavailable, std::string(kRaceLost), "somebody has changed this at the same moment"};
  EKIDEN_CHECK(parts_.settler.recount_part(tx, next.part_id, request.trace.to_traceparent()));
  return next;
}

runtime::Task<Result<http::Response>> MountingsApi::remove(http::Request request) {
  auto body = [this, &request](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(const Mounting mounting, own_mounting(tx, request));
    EKIDEN_CHECK(require_if_match(request, mounting.version));
    EKIDEN_CHECK(delete_mounting(tx, mounting.mounting_id));
    return parts_.settler.recount_part(tx, mounting.part_id, request.trace.to_traceparent());
  };
  EKIDEN_CO_CHECK(co_await runtime::write(parts_.db, body, request.deadline));
  co_return http::Response::no_content();
}

std::vector<http::Route> MountingsApi::routes(MountingsApi* api) {
  using http::BodyPolicy;
  using http::RateClass;
  using http::Verb;
  using Method = runtime::Task<Result<http::Response>> (MountingsApi::*)(http::Request);
  const auto call = [api](Method method) {
    return http::CoroutineHandler(
        [api, method](http::Request request) { return (api->*method)(std::move(request)); });
  };
  return {
      {.verb = Verb::get,
       .pattern = "/api/v1/gear/{id}/mountings",
       .handler = call(&MountingsApi::list),
       .doc = {.summary = "Where a part was mounted, or what was on a bike; the latest first",
               .tag = "gear",
               .response_schema = json::schema_of<MountingsView>,
               .query_parameters = {"limit", "cursor"}}},
      {.verb = Verb::post,
       .pattern = "/api/v1/gear/{id}/mountings",
       .handler = call(&MountingsApi::create),
       .rate_class = RateClass::write,
       .body = BodyPolicy::json(),
       .idempotent = http::Idempotent::yes,
       .doc = {.summary = "Mount a part on a bike, now or in the past",
               .tag = "gear",
               .request_schema = json::schema_of<MountBody>,
               .response_schema = json::schema_of<MountingView>,
               .success_status = 201}},
      {.verb = Verb::get,
       .pattern = "/api/v1/gear/{id}/mountings/{mounting_id}",
       .handler = call(&MountingsApi::show),
       .doc = {.summary = "One mounting of a part",
               .tag = "gear",
               .response_schema = json::schema_of<MountingView>}},
      {.verb = Verb::patch,
       .pattern = "/api/v1/gear/{id}/mountings/{mounting_id}",
       .handler = call(&MountingsApi::change),
       .rate_class = RateClass::write,
       .body = BodyPolicy::json(),
       .doc = {.summary = "Change or end a mounting; needs If-Match",
               .tag = "gear",
               .request_schema = json::schema_of<MountChangeBody>,
               .response_schema = json::schema_of<MountingView>}},
      {.verb = Verb::del,
       .pattern = "/api/v1/gear/{id}/mountings/{mounting_id}",
       .handler = call(&MountingsApi::remove),
       .rate_class = RateClass::write,
       .doc = {.summary = "Remove a mounting, and what the part had by it; needs If-Match",
               .tag = "gear",
               .success_status = 204}},
  };
}

}  // namespace ekiden::inventory
