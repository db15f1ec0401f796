#include "services/workout/api/streams.hpp"

#include "http/cursor.hpp"
#include "http/etag.hpp"
#include "http/target.hpp"
#include "json/json.hpp"
#include "runtime/offload.hpp"
#include "runtime/sql_task.hpp"
#include "services/workout/activity/export/export.hpp"
#include "services/workout/api/workouts.hpp"
#include "services/workout/domain/stream_codec.hpp"
#include "services/workout/domain/stream_json.hpp"
#include "services/workout/domain/views.hpp"

namespace ekiden::workout {

namespace {

constexpr std::string_view kNoLaps = R"({"items":[],"next_cursor":null})";
constexpr std::string_view kNoSplits = R"({"km":[],"mile":[]})";
/// A file up to this size is sent in one go; a larger one is never in memory as a whole.
constexpr std::size_t kWholeMax = std::size_t{1} << 20U;
constexpr std::size_t kStreamPiece = std::size_t{64} << 10U;

/// For the OpenAPI document: `latlng` and the rest are written without an object in between.
struct StreamsView {
  std::int64_t point_count = 0;
  std::optional<std::vector<double>> time_s;
  std::optional<std::vector<std::optional<std::vector<double>>>> latlng;
  std::optional<std::vector<std::optional<double>>> distance_m;
  std::optional<std::vector<std::optional<double>>> altitude_m;
  std::optional<std::vector<std::optional<double>>> speed_mps;
  std::optional<std::vector<std::optional<double>>> heart_rate_bpm;
  std::optional<std::vector<std::optional<double>>> cadence_rpm;
  std::optional<std::vector<std::optional<double>>> power_w;
  std::optional<std::vector<std::optional<double>>> temperature_c;
  std::optional<std::vector<std::optional<double>>> grade;
};
BOOST_DESCRIBE_STRUCT(StreamsView, (),
                      (point_count, time_s, latlng, distance_m, altitude_m, speed_mps, heart_rate_bpm,
                       cadence_rpm, power_w, temperature_c, grade))

http::Response cached_json(const http::Request& request, std::int64_t version, std::string body) {
  http::Response response = http::Response::json(200, std::move(body));
  response.headers.set("Cache-Control", "private, no-cache");
  return http::with_etag(request, http::etag_of_version(version), std::move(response));
}

Result<activity::Streams> streams_of(const std::string& samples) {
  if (samples.empty()) return activity::Streams{};
  return decode_streams(samples);
}

/// The workout as a recording that an exporter can write.
activity::Activity activity_of(const Workout& workout, activity::Streams streams) {
  activity::Activity activity;
  activity.sport = workout.sport;
  activity.sport_is_known = true;
  activity.name = workout.name;
  activity.description = workout.description;
  activity.samples = {.time_ms = std::move(streams.time_ms),
                      .latitude_deg = std::move(streams.latitude_deg),
                      .longitude_deg = std::move(streams.longitude_deg),
                      .altitude_m = std::move(streams.altitude_m),
                      .distance_m = std::move(streams.distance_m),
                      .speed_mps = std::move(streams.speed_mps),
                      .heart_rate_bpm = std::move(streams.heart_rate_bpm),
                      .cadence_rpm = std::move(streams.cadence_rpm),
                      .power_w = std::move(streams.power_w),
                      .temperature_c = std::move(streams.temperature_c)};
  // Columns are as long as that of times, which a file without a clock lacks.
  activity.samples.time_ms.resize(activity.samples.distance_m.size(), activity::kNoTime);
  activity.segment_starts = std::move(streams.segment_starts);
  activity.recorded.start_ms =
      std::chrono::floor<std::chrono::milliseconds>(workout.start_time).time_since_epoch().count();
  activity.recorded.distance_m = static_cast<double>(workout.distance_m);
  activity.recorded.elapsed_s = static_cast<double>(workout.elapsed_ms) / 1000;
  activity.recorded.timer_s = static_cast<double>(workout.timer_ms) / 1000;
  activity.recorded.calories_kcal = workout.calories_kcal;
  return activity;
}

}  // namespace

std::string attachment(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-' || c == '_';
    plain += safe ? c : '_';
  }
  return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + http::percent_encode(name);
}

runtime::Task<Result<StreamsApi::Sampled>> StreamsApi::load(std::string id, UserId viewer,
                                                            Deadline deadline) {
  auto body = [id = std::move(id), viewer](sql::Tx& tx) -> Result<Sampled> {
    EKIDEN_TRY(Workout workout, visible_workout(tx, id, viewer));
    EKIDEN_TRY(auto samples, find_samples(tx, workout.workout_id));
    return Sampled{.workout = std::move(workout), .samples = std::move(samples).value_or("")};
  };
  co_return co_await runtime::read(db_, body, deadline);
}

runtime::Task<Result<http::Response>> StreamsApi::streams(http::Request request) {
  const http::QueryReader query(request, {"types", "resolution"});
  EKIDEN_CO_CHECK(query.check());
  EKIDEN_CO_TRY(const auto types, parse_stream_types(query.text("types").value_or("")));
  EKIDEN_CO_TRY(const std::size_t most, parse_resolution(query.text("resolution").value_or("medium")));
  EKIDEN_CO_TRY(Sampled sampled,
                co_await load(request.param("id"), request.user().user_id, request.deadline));
  const std::int64_t version = sampled.workout.version;
  auto compute = [samples = std::move(sampled.samples), types, most]() -> Result<std::string> {
    EKIDEN_TRY(activity::Streams all, streams_of(samples));
    if (all.size() > most) all = activity::resample(all, most);
    return streams_json(all, types);
  };
  EKIDEN_CO_TRY(std::string body, co_await runtime::offload(cpu_, std::move(compute)));
  co_return cached_json(request, version, std::move(body));
}

runtime::Task<Result<http::Response>> StreamsApi::details(http::Request request, Find find,
                                                          std::string_view none) {
  std::int64_t version = 0;
  auto body = [&request, &version, find](sql::Tx& tx) -> Result<std::optional<std::string>> {
    EKIDEN_TRY(const Workout workout, visible_workout(tx, request.param("id"), request.user().user_id));
    version = workout.version;
    return find(tx, workout.workout_id);
  };
  EKIDEN_CO_TRY(auto found, co_await runtime::read(db_, body, request.deadline));
  co_return cached_json(request, version, std::move(found).value_or(std::string(none)));
}

runtime::Task<Result<http::Response>> StreamsApi::laps(http::Request request) {
  co_return co_await details(std::move(request), &find_laps, kNoLaps);
}

runtime::Task<Result<http::Response>> StreamsApi::splits(http::Request request) {
  co_return co_await details(std::move(request), &find_splits, kNoSplits);
}

runtime::Task<Result<http::Response>> StreamsApi::original(http::Request request) {
  auto body = [&request](sql::Tx& tx) {
    return own_workout(tx, request.param("id"), request.user().user_id);
  };
  EKIDEN_CO_TRY(Workout workout, co_await runtime::read(db_, body, request.deadline));
  EKIDEN_CO_TRY(Originals::File file, co_await originals_.read(std::move(workout), request.deadline));
  http::Response response;
  response.headers.set("Content-Type", "application/octet-stream");
  response.headers.set("Content-Disposition", attachment(file.name));
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Cache-Control", "private, no-store");
  if (file.bytes().size() <= kWholeMax) {
    response.body = file.bytes();
    co_return response;
  }
  response.stream_size = static_cast<std::int64_t>(file.bytes().size());
  response.stream = [file = std::move(file), sent = std::size_t{0}](std::string& piece) mutable {
    piece += file.bytes().substr(sent, kStreamPiece);
    sent += kStreamPiece;
    return Result<bool>(sent < file.bytes().size());
  };
  co_return response;
}

runtime::Task<Result<http::Response>> StreamsApi::exported(http::Request request, Write write,
                                                           std::string_view type,
                                                           std::string_view extension) {
  EKIDEN_CO_TRY(Sampled sampled,
                co_await load(request.param("id"), request.user().user_id, request.deadline));
  const std::string name = "workout-" + sampled.workout.workout_id.to_string() + std::string(extension);
  auto compute = [sampled = std::move(sampled), write]() -> Result<std::string> {
    EKIDEN_TRY(activity::Streams streams, streams_of(sampled.samples));
    return write(activity_of(sampled.workout, std::move(streams)));
  };
  http::Response response;
  EKIDEN_CO_TRY(response.body, co_await runtime::offload(cpu_, std::move(compute)));
  response.headers.set("Content-Type", std::string(type));
  response.headers.set("Content-Disposition", attachment(name));
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Cache-Control", "private, no-cache");
  co_return response;
}

runtime::Task<Result<http::Response>> StreamsApi::export_gpx(http::Request request) {
  co_return co_await exported(std::move(request), &activity::to_gpx, "application/gpx+xml", ".gpx");
}

runtime::Task<Result<http::Response>> StreamsApi::export_tcx(http::Request request) {
  co_return co_await exported(std::move(request), &activity::to_tcx, "application/vnd.garmin.tcx+xml",
                              ".tcx");
}

std::vector<http::Route> StreamsApi::routes(StreamsApi* api) {
  using http::Verb;
  using Method = runtime::Task<Result<http::Response>> (StreamsApi::*)(http::Request);
  const auto call = [api](Method method) {
    return http::CoroutineHandler(
        [api, method](http::Request request) { return (api->*method)(std::move(request)); });
  };
  return {
      {.verb = Verb::get,
       .pattern = "/api/v1/workouts/{id}/streams",
       .handler = call(&StreamsApi::streams),
       .scope = kReadScope,
       .doc = {.summary = "The samples of a workout",
               .tag = "workouts",
               .response_schema = json::schema_of<StreamsView>,
               .query_parameters = {"types", "resolution"}}},
      {.verb = Verb::get,
       .pattern = "/api/v1/workouts/{id}/laps",
       .handler = call(&StreamsApi::laps),
       .scope = kReadScope,
       .doc = {.summary = "The laps that the device marked",
               .tag = "workouts",
               .response_schema = json::schema_of<LapsView>}},
      {.verb = Verb::get,
       .pattern = "/api/v1/workouts/{id}/splits",
       .handler = call(&StreamsApi::splits),
       .scope = kReadScope,
       .doc = {.summary = "Every kilometre and every mile",
               .tag = "workouts",
               .response_schema = json::schema_of<SplitsView>}},
      {.verb = Verb::get,
       .pattern = "/api/v1/workouts/{id}/original",
       .handler = call(&StreamsApi::original),
       .scope = kReadScope,
       .timeout = std::chrono::seconds{30},
       .doc = {.summary = "The file as it was uploaded, for its owner", .tag = "workouts"}},
      {.verb = Verb::get,
       .pattern = "/api/v1/workouts/{id}/export.gpx",
       .handler = call(&StreamsApi::export_gpx),
       .scope = kReadScope,
       .timeout = std::chrono::seconds{30},
       .doc = {.summary = "The workout as GPX", .tag = "workouts"}},
      {.verb = Verb::get,
       .pattern = "/api/v1/workouts/{id}/export.tcx",
       .handler = call(&StreamsApi::export_tcx),
       .scope = kReadScope,
       .timeout = std::chrono::seconds{30},
       .doc = {.summary = "The workout as TCX", .tag = "workouts"}},
  };
}

}  // namespace ekiden::workout
