#include "services/workout/domain/reading.hpp"

#include <algorithm>

#include "http/digest.hpp"
#include "json/json.hpp"
#include "services/workout/activity/archive/gunzip.hpp"
#include "services/workout/activity/fit/fit.hpp"
#include "services/workout/activity/gpx/gpx.hpp"
#include "services/workout/activity/tcx/tcx.hpp"
#include "services/workout/domain/stream_codec.hpp"
#include "services/workout/domain/views.hpp"

namespace ekiden::workout {

namespace {

using activity::Activity;
using activity::FileKind;

Error not_supported() {
  return {Errc::unsupported, "unsupported-file-type",
          "The file is none of GPX, TCX, FIT, gzip or zip, whatever its name says.", "file"};
}

Result<std::vector<Activity>> parse(std::string_view bytes, FileKind kind, const ReadLimits& limits) {
  switch (kind) {
    case FileKind::gpx:
      return activity::parse_gpx(bytes, limits.parse);
    case FileKind::tcx:
      return activity::parse_tcx(bytes, limits.parse);
    case FileKind::fit:
      return activity::parse_fit(bytes, limits.parse);
    case FileKind::gzip:
    case FileKind::zip:
      return activity::bad_archive("An archive inside an archive is not opened.");
    case FileKind::unknown:
      return not_supported();
  }
  return not_supported();
}

blobs::Hash hash_content(std::string_view bytes) {
  blobs::Hash hash;
  std::ranges::transform(http::sha256(bytes), hash.bytes.begin(),
                         [](char byte) { return static_cast<std::uint8_t>(byte); });
  return hash;
}

std::string laps_json(const std::vector<activity::Lap>& laps) {
  LapsView view;
  view.items.reserve(laps.size());
  for (const activity::Lap& lap : laps) {
    LapView item{.start_time = {},
                 .elapsed_s = lap.elapsed_s,
                 .timer_s = lap.timer_s,
                 .distance_m = lap.distance_m,
                 .average_heart_rate_bpm = lap.average_heart_rate_bpm,
                 .max_heart_rate_bpm = lap.max_heart_rate_bpm,
                 .max_speed_mps = lap.max_speed_mps,
                 .calories_kcal = lap.calories_kcal};
    if (lap.start_ms) item.start_time = Timestamp{std::chrono::milliseconds{*lap.start_ms}};
    view.items.push_back(item);
  }
  return json::write(view);
}

std::vector<SplitView> split_views(const std::vector<activity::Split>& splits) {
  std::vector<SplitView> views;
  views.reserve(splits.size());
  for (const activity::Split& split : splits) {
    views.push_back({.distance_m = split.distance_m,
                     .elapsed_s = static_cast<double>(split.elapsed_ms) / 1000,
                     .moving_s = static_cast<double>(split.moving_ms) / 1000});
  }
  return views;
}

/// Sets everything of `workout` that follows from the samples, and makes what is kept of them.
Recording compute(Workout& workout, const Activity& activity, const MakeContext& context) {
  const activity::Cleaned cleaned = activity::clean(activity);
  const auto figures = activity::compute_figures(activity, cleaned, {.athlete = context.person.athlete},
                                                 std::chrono::floor<std::chrono::seconds>(context.now));
  take_figures(workout, figures, workout.created_at);
  take_local_time(workout, activity.utc_offset, context.person.time_zone);
  workout.point_count = static_cast<std::int64_t>(cleaned.streams.size());
  return {.samples = encode_streams(cleaned.streams),
          .laps = laps_json(activity.laps),
          .splits = json::write(
              SplitsView{.km = split_views(figures.km_splits), .mile = split_views(figures.mile_splits)})};
}

}  // namespace

Result<std::string> read_entry(std::string_view archive, std::int64_t entry, const ReadLimits& limits) {
  EKIDEN_TRY(const activity::ZipReader reader, activity::open_zip(archive, limits.zip));
  if (entry < 0 || std::cmp_greater_equal(entry, reader.entries().size())) {
    return activity::bad_archive("The archive has no such entry.");
  }
  return reader.read(reader.entries()[static_cast<std::size_t>(entry)]);
}

Result<ReadFile> read_file(std::string_view blob, const blobs::Hash& blob_hash,
                           std::optional<std::int64_t> entry, const ReadLimits& limits) {
  ReadFile file{.content_hash = blob_hash, .activities = {}};
  std::string unpacked;
  std::string_view bytes = blob;
  file.kind = activity::detect(bytes);
  if (entry) {
    EKIDEN_TRY(unpacked, read_entry(blob, *entry, limits));
  } else if (file.kind == FileKind::gzip) {
    EKIDEN_TRY(unpacked, activity::gunzip(blob, limits.inflate));
  }
  if (entry || file.kind == FileKind::gzip) {
    bytes = unpacked;
    file.content_hash = hash_content(bytes);
    file.kind = activity::detect(bytes);
  }
  EKIDEN_TRY(file.activities, parse(bytes, file.kind, limits));
  return file;
}

Result<std::vector<UploadFile>> list_entries(std::string_view archive, const blobs::Hash& blob_hash,
                                             std::string_view name, const ReadLimits& limits) {
  EKIDEN_TRY(const activity::ZipReader reader, activity::open_zip(archive, limits.zip));
  if (reader.entries().empty())
    return activity::bad_archive("The archive `" + std::string(name) + "` holds no file.");
  std::vector<UploadFile> files;
  files.reserve(reader.entries().size());
  for (const activity::ZipEntry& entry : reader.entries()) {
    UploadFile file{.name = entry.name,
                    .blob_hash = blob_hash,
                    .holds_blob = !entry.refusal,
                    .entry = static_cast<std::int64_t>(files.size())};
    if (entry.refusal) {
      file.status = FileStatus::failed;
      file.problem = problem_of(*entry.refusal);
    }
    files.push_back(std::move(file));
  }
  return files;
}

Prepared make_workout(Activity activity, FileKind kind, const MakeContext& context) {
  if (context.wishes.sport) activity.sport = *context.wishes.sport;
  Prepared prepared;
  Workout& workout = prepared.workout;
  workout.sport = activity.sport;
  workout.source = activity::to_string(kind);
  workout.description = activity.description;
  workout.gear_ids = context.wishes.gear_ids;
  workout.visibility = context.wishes.visibility.value_or(context.person.visibility);
  workout.device_id = activity.device_id;
  workout.external_id = context.wishes.external_id;
  workout.created_at = workout.changed_at = context.now;
  prepared.recording = compute(workout, activity, context);
  workout.name = !context.wishes.name.empty() ? context.wishes.name : activity.name;
  if (workout.name.empty()) workout.name = generated_name(workout);
  return prepared;
}

Prepared remake_workout(Workout workout, Activity activity, const MakeContext& context) {
  activity.sport = workout.sport;
  Prepared prepared{.workout = std::move(workout), .recording = {}};
  prepared.recording = compute(prepared.workout, activity, context);
  return prepared;
}

}  // namespace ekiden::workout
