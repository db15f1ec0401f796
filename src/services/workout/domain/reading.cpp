#include "services/workout/domain/reading.hpp"

#include <algorithm>
#include <optional>
#include <utility>

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

blobs::Hash to_hash(std::string_view digest) {
  blobs::Hash hash;
  std::ranges::transform(digest, hash.bytes.begin(),
                         [](char byte) { return static_cast<std::uint8_t>(byte); });
  return hash;
}

/// Takes a file piece by piece as it is unpacked. XML is parsed as it comes, so that it is never in memory as
/// a whole; a FIT file, which is small, is gathered.
class Intake {
 public:
  explicit Intake(const ReadLimits& limits) : limits_(limits) {}

  Result<void> take(std::string_view piece) {
    hash_.add(piece);
    if (gpx_) return gpx_->feed(piece);
    if (tcx_) return tcx_->feed(piece);
    held_ += piece;
    if (kind_ == FileKind::unknown) kind_ = activity::detect(held_);
    if (kind_ == FileKind::gpx) gpx_.emplace(limits_.parse);
    if (kind_ == FileKind::tcx) tcx_.emplace(limits_.parse);
    if (gpx_) return gpx_->feed(std::exchange(held_, {}));
    if (tcx_) return tcx_->feed(std::exchange(held_, {}));
    if (kind_ == FileKind::unknown && held_.size() > kHeadMax) return not_supported();
    return {};
  }

  Result<ReadFile> finish() {
    ReadFile file{.kind = kind_, .content_hash = to_hash(hash_.take()), .activities = {}};
    if (gpx_) {
      EKIDEN_TRY(file.activities, gpx_->finish());
    } else if (tcx_) {
      EKIDEN_TRY(file.activities, tcx_->finish());
    } else {
      EKIDEN_TRY(file.activities, parse(held_, kind_, limits_));
    }
    return file;
  }

 private:
  /// Beyond this much of it, what a file is does not show any more.
  static constexpr std::size_t kHeadMax = std::size_t{1} << 20U;

  const ReadLimits& limits_;
  http::Sha256 hash_;
  FileKind kind_ = FileKind::unknown;
  std::string held_;
  std::optional<activity::GpxReader> gpx_;
  std::optional<activity::TcxReader> tcx_;
};

/// The archive's entry, found.
Result<activity::ZipEntry> entry_of(const activity::ZipReader& reader, std::int64_t entry) {
  if (entry < 0 || std::cmp_greater_equal(entry, reader.entries().size())) {
    return activity::bad_archive("The archive has no such entry.");
  }
  return reader.entries()[static_cast<std::size_t>(entry)];
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
  EKIDEN_TRY(const activity::ZipEntry found, entry_of(reader, entry));
  return reader.read(found);
}

Result<ReadFile> read_file(std::string_view blob, const blobs::Hash& blob_hash,
                           std::optional<std::int64_t> entry, const ReadLimits& limits) {
  Intake intake(limits);
  const auto take = [&intake](std::string_view piece) { return intake.take(piece); };
  if (entry) {
    EKIDEN_TRY(const activity::ZipReader reader, activity::open_zip(blob, limits.zip));
    EKIDEN_TRY(const activity::ZipEntry found, entry_of(reader, *entry));
    EKIDEN_CHECK(reader.read(found, take));
    return intake.finish();
  }
  ReadFile file{.kind = activity::detect(blob), .content_hash = blob_hash, .activities = {}};
  if (file.kind == FileKind::gzip) {
    EKIDEN_CHECK(activity::gunzip(blob, limits.inflate, take));
    return intake.finish();
  }
  EKIDEN_TRY(file.activities, parse(blob, file.kind, limits));
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
