#include "services/workout/api/workouts.hpp"

#include "base/text.hpp"
#include "http/etag.hpp"
#include "json/json.hpp"
#include "runtime/sql_task.hpp"
#include "services/conditional.hpp"
#include "services/idempotency.hpp"
#include "services/workout/api/hold_key.hpp"
#include "services/workout/api/place.hpp"
#include "services/workout/domain/limits.hpp"
#include "services/workout/domain/views.hpp"
#include "services/workout/jobs/blob_removal.hpp"
#include "services/workout/store/people.hpp"

namespace ekiden::workout {

namespace {

constexpr std::string_view kRaceLost = "race-lost";
constexpr int kAttempts = 4;

Error unknown_workout() {
  return {Errc::not_found, "not-found", "there is no such workout"};
}

http::Response show_workout(int status, const Workout& workout) {
  http::Response response = http::Response::json(status, json::write(view_of(workout)));
  response.headers.set("ETag", http::etag_of_version(workout.version));
  response.headers.set("Cache-Control", "private, no-cache");
  return response;
}

/// A point in time, or the beginning of a day in UTC.
Result<std::optional<Timestamp>> read_time(const http::QueryReader& query, std::string_view name) {
  const auto text = query.text(name);
  if (!text) return std::optional<Timestamp>{};
  const auto time =
      text->size() == 10 ? parse_rfc3339(std::string(*text) + "T00:00:00Z") : parse_rfc3339(*text);
  if (time) return time;
  return Error{Errc::invalid, "bad-parameter", "give a date, or a time as `2026-11-22T06:30:00Z`",
               std::string(name)};
}

Result<WorkoutFilter> read_filter(const http::QueryReader& query) {
  WorkoutFilter filter;
  if (const auto sport = query.text("sport")) {
    filter.sport = activity::parse_sport(*sport);
    if (!filter.sport)
      return Error{Errc::invalid, "bad-parameter", "give one of the sports, as `run`, `ride`", "sport"};
  }
  EKIDEN_TRY(filter.from, read_time(query, "from"));
  EKIDEN_TRY(filter.before, read_time(query, "to"));
  EKIDEN_TRY(filter.text, clean_text(query.text("q").value_or(""), "q", {.chars_max = kNameChars}));
  return filter;
}

std::string list_name(UserId user_id, const WorkoutFilter& filter) {
  std::string name = "workouts:" + user_id.to_string() + ":";
  if (filter.sport) name += activity::to_string(*filter.sport);
  name += ':' + (filter.from ? std::to_string(to_micros(*filter.from)) : std::string());
  name += ':' + (filter.before ? std::to_string(to_micros(*filter.before)) : std::string());
  return name + ':' + filter.text;
}

}  // namespace

struct WorkoutsApi::Change {
  http::Request request;
  ChangeBody body;
  Workout seen;
  Person person;
  Workout next;
  std::optional<Recording> recording;
};

Result<Workout> visible_workout(sql::Tx& tx, const std::string& id, UserId viewer) {
  const auto workout_id = WorkoutId::parse(id);
  if (!workout_id) return unknown_workout();
  EKIDEN_TRY(auto workout, find_workout(tx, *workout_id));
  if (!workout || (workout->user_id != viewer && workout->visibility != Visibility::everyone))
    return unknown_workout();
  return *std::move(workout);
}

Result<Workout> own_workout(sql::Tx& tx, const std::string& id, UserId owner) {
  EKIDEN_TRY(Workout workout, visible_workout(tx, id, owner));
  if (workout.user_id != owner) return unknown_workout();
  return workout;
}

runtime::Task<Result<http::Response>> WorkoutsApi::list(http::Request request) {
  const http::QueryReader query(request, {"sport", "from", "to", "q", "limit", "cursor"});
  EKIDEN_CO_CHECK(query.check());
  EKIDEN_CO_TRY(const std::int64_t limit, query.limit());
  EKIDEN_CO_TRY(const WorkoutFilter filter, read_filter(query));
  const UserId user_id = request.user().user_id;
  const std::string list = list_name(user_id, filter);
  EKIDEN_CO_TRY(const auto position, query.cursor(parts_.cursors, list));
  std::optional<ListPlace> after;
  if (position) {
    EKIDEN_CO_TRY(const Place place, read_place(*position));
    after = ListPlace{place.at, WorkoutId{place.id}};
  }
  auto body = [user_id, filter, after, limit](sql::Tx& tx) {
    return list_workouts(tx, user_id, filter, after, limit + 1);
  };
  EKIDEN_CO_TRY(auto workouts, co_await runtime::read(parts_.db, body, request.deadline));
  WorkoutsView view;
  if (std::cmp_greater(workouts.size(), limit)) {
    workouts.pop_back();
    const Workout& last = workouts.back();
    view.next_cursor = parts_.cursors.seal(list, write_place({last.start_time, last.workout_id.uuid()}));
  }
  view.items.reserve(workouts.size());
  for (const Workout& workout : workouts) view.items.push_back(view_of(workout));
  co_return http::Response::json(200, json::write(view));
}

runtime::Task<Result<http::Response>> WorkoutsApi::create(http::Request request) {
  EKIDEN_CO_TRY(const auto hold, hold_key(parts_.keys, request));
  EKIDEN_CO_TRY(const CreateBody body, json::read<CreateBody>(request.body));
  auto write = [this, &request, &body](sql::Tx& tx) {
    const auto make = [&] { return insert(tx, request, body); };
    return services::create_once(tx, request, request.user().user_id, parts_.clock.now(), make);
  };
  co_return co_await runtime::write(parts_.db, write, request.deadline);
}

Result<http::Response> WorkoutsApi::insert(sql::Tx& tx, const http::Request& request,
                                           const CreateBody& body) const {
  const UserId user_id = request.user().user_id;
  EKIDEN_TRY(const bool erased, is_erased(tx, user_id));
  if (erased) return Error{Errc::unauthenticated, "invalid-token", "this account has been deleted"};
  EKIDEN_TRY(const auto person, find_person(tx, user_id));
  EKIDEN_TRY(Workout workout, make_manual(body, person.value_or(Person{}), parts_.clock.now()));
  workout.workout_id = parts_.ids.make<WorkoutId>();
  workout.user_id = user_id;
  EKIDEN_CHECK(insert_workout(tx, workout));
  EKIDEN_CHECK(parts_.outbox.append(tx, recorded(workout, request.trace.to_traceparent())));
  http::Response response = show_workout(201, workout);
  response.headers.set("Location", "/api/v1/workouts/" + workout.workout_id.to_string());
  return response;
}

runtime::Task<Result<http::Response>> WorkoutsApi::show(http::Request request) {
  auto body = [id = request.param("id"), viewer = request.user().user_id](sql::Tx& tx) {
    return visible_workout(tx, id, viewer);
  };
  EKIDEN_CO_TRY(const Workout workout, co_await runtime::read(parts_.db, body, request.deadline));
  http::Response response = show_workout(200, workout);
  co_return http::with_etag(request, http::etag_of_version(workout.version), std::move(response));
}

runtime::Task<Result<http::Response>> WorkoutsApi::change(http::Request request) {
  auto change = std::make_shared<Change>();
  EKIDEN_CO_TRY(change->body, json::read<ChangeBody>(request.body));
  change->request = std::move(request);
  for (int attempt = 1;; ++attempt) {
    const Result<Workout> outcome = co_await try_change(change);
    if (outcome) co_return show_workout(200, *outcome);
    if (outcome.error().slug() != kRaceLost) co_return outcome.error();
    if (attempt == kAttempts) {
      co_return Error{Errc::conflict, std::string(kRaceLost),
                      "this was changed by others at the same moment: try again"};
    }
  }
}

runtime::Task<Result<Workout>> WorkoutsApi::try_change(ChangePtr change) {
  auto read = [change](sql::Tx& tx) -> Result<void> {
    const UserId user_id = change->request.user().user_id;
    EKIDEN_TRY(change->seen, own_workout(tx, change->request.param("id"), user_id));
    EKIDEN_TRY(const auto person, find_person(tx, user_id));
    change->person = person.value_or(Person{});
    return services::check_if_match(change->request, change->seen.version);
  };
  const Deadline deadline = change->request.deadline;
  EKIDEN_CO_CHECK(co_await runtime::read(parts_.db, read, deadline));
  const Timestamp now = parts_.clock.now();
  EKIDEN_CO_TRY(Edited edited, apply_change(change->seen, change->body, change->person, now));
  change->recording.reset();
  change->next = std::move(edited.workout);
  if (edited.read_again) {
    EKIDEN_CO_TRY(Prepared prepared,
                  co_await parts_.originals.recompute(change->next, change->person, now, deadline));
    change->next = std::move(prepared.workout);
    change->recording = std::move(prepared.recording);
  }
  if (change->next == change->seen) co_return change->seen;
  change->next.version += 1;
  change->next.changed_at = now;
  auto write = [this, change](sql::Tx& tx) { return write_change(tx, *change); };
  EKIDEN_CO_CHECK(co_await runtime::write(parts_.db, write, deadline));
  co_return change->next;
}

Result<void> WorkoutsApi::write_change(sql::Tx& tx, const Change& change) const {
  EKIDEN_TRY(const bool updated, update_workout(tx, change.next));
  if (!updated)
    return Error{Errc::conflict, std::string(kRaceLost), "somebody changed this at the same moment"};
  if (change.recording) EKIDEN_CHECK(put_recording(tx, change.next.workout_id, *change.recording));
  return parts_.outbox.append(tx, changed(change.next, change.request.trace.to_traceparent()));
}

runtime::Task<Result<http::Response>> WorkoutsApi::remove(http::Request request) {
  auto body = [this, &request](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(const Workout workout, own_workout(tx, request.param("id"), request.user().user_id));
    EKIDEN_CHECK(services::check_if_match(request, workout.version));
    EKIDEN_CHECK(delete_workout(tx, workout, workout.version + 1));
    if (workout.origin) {
      EKIDEN_TRY(const auto unreferenced, release_file(tx, *workout.origin));
      if (unreferenced) EKIDEN_CHECK(remove_later(tx, parts_.jobs, {*unreferenced}, parts_.clock.now()));
    }
    return parts_.outbox.append(tx, deleted(workout.workout_id, workout.user_id, workout.version + 1,
                                            request.trace.to_traceparent()));
  };
  EKIDEN_CO_CHECK(co_await runtime::write(parts_.db, body, request.deadline));
  co_return http::Response::no_content();
}

std::vector<http::Route> WorkoutsApi::routes(WorkoutsApi* api) {
  using http::BodyPolicy;
  using http::RateClass;
  using http::Verb;
  using Method = runtime::Task<Result<http::Response>> (WorkoutsApi::*)(http::Request);
  const auto call = [api](Method method) {
    return http::CoroutineHandler(
        [api, method](http::Request request) { return (api->*method)(std::move(request)); });
  };
  return {
      {.verb = Verb::get,
       .pattern = "/api/v1/workouts",
       .handler = call(&WorkoutsApi::list),
       .scope = kReadScope,
       .doc = {.summary = "One's workouts, the newest first",
               .tag = "workouts",
               .response_schema = json::schema_of<WorkoutsView>,
               .query_parameters = {"sport", "from", "to", "q", "limit", "cursor"}}},
      {.verb = Verb::post,
       .pattern = "/api/v1/workouts",
       .handler = call(&WorkoutsApi::create),
       .rate_class = RateClass::write,
       .body = BodyPolicy::json(),
       .idempotent = http::Idempotent::yes,
       .doc = {.summary = "Enter a workout by hand",
               .tag = "workouts",
               .request_schema = json::schema_of<CreateBody>,
               .response_schema = json::schema_of<WorkoutView>,
               .success_status = 201}},
      {.verb = Verb::get,
       .pattern = "/api/v1/workouts/{id}",
       .handler = call(&WorkoutsApi::show),
       .scope = kReadScope,
       .doc = {.summary = "A workout", .tag = "workouts", .response_schema = json::schema_of<WorkoutView>}},
      {.verb = Verb::patch,
       .pattern = "/api/v1/workouts/{id}",
       .handler = call(&WorkoutsApi::change),
       .rate_class = RateClass::write,
       .body = BodyPolicy::json(),
       .timeout = std::chrono::seconds{30},
       .doc = {.summary = "Change a workout; another sport computes it anew",
               .tag = "workouts",
               .request_schema = json::schema_of<ChangeBody>,
               .response_schema = json::schema_of<WorkoutView>}},
      {.verb = Verb::del,
       .pattern = "/api/v1/workouts/{id}",
       .handler = call(&WorkoutsApi::remove),
       .rate_class = RateClass::write,
       .doc = {.summary = "Delete a workout", .tag = "workouts", .success_status = 204}},
  };
}

}  // namespace ekiden::workout
