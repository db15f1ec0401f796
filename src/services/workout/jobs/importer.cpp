#include "services/workout/jobs/importer.hpp"

#include "runtime/offload.hpp"
#include "runtime/sql_task.hpp"
#include "services/workout/jobs/blob_removal.hpp"
#include "services/workout/store/people.hpp"
#include "services/workout/store/uploads.hpp"
#include "services/workout/store/workouts.hpp"

namespace ekiden::workout {

namespace {

/// An attempt that no error ended is one that ended the process: after some of them the file at hand is given
/// up.
constexpr int kGiveUpAttempt = 5;
constexpr std::chrono::seconds kComeBackAfter{1};

Error not_importable() {
  return {Errc::internal, "import-failed", "the program stopped in every attempt to read this file"};
}

}  // namespace

struct Importer::Run {
  runtime::Job job;
  Upload upload;
  Person person;
  bool unpacked = false;  ///< an archive has become files that are not in `upload` yet
  bool is_gone = false;   ///< the upload has ended, or was erased with its owner
  std::optional<blobs::Hash> blob_hash{};
  std::shared_ptr<const blobs::Content> blob{};  ///< the last that was opened: entries of an archive share it
};

struct Importer::Digested {
  blobs::Hash content_hash;
  std::vector<UploadFile> entries;  ///< of an archive; else
  std::vector<Prepared> prepared;
};

Importer::Importer(ImporterParts parts, ReadLimits limits, std::int64_t blob_bytes_max)
    : parts_(std::move(parts)), limits_(limits), blob_bytes_max_(blob_bytes_max) {
  const auto counter = [this](const std::string& outcome) {
    return parts_.metrics.counter("ekiden_workout_files_total", "Files of uploads that ended.",
                                  {{"outcome", outcome}});
  };
  ready_ = counter("ready");
  failed_ = counter("failed");
  duplicate_ = counter("duplicate");
}

runtime::Task<Result<void>> Importer::run(runtime::Job job) {
  EKIDEN_CO_TRY(RunPtr run, co_await begin(std::move(job)));
  if (run->is_gone) co_return Result<void>{};
  Result<void> outcome = co_await import_all(run);
  if (!outcome && is_retryable(outcome.error().code())) co_return co_await come_back(run, outcome.error());
  co_return outcome;
}

runtime::Task<Result<Importer::RunPtr>> Importer::begin(runtime::Job job) {
  auto run = std::make_shared<Run>();
  run->job = std::move(job);
  const auto upload_id = UploadId::parse(run->job.key);
  if (!upload_id) co_return Error{Errc::internal, "bad-job", "the job's key is no upload"};
  auto load = [run, upload_id = *upload_id](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(auto upload, find_upload(tx, upload_id));
    run->is_gone = !upload || upload->ended_at;
    if (run->is_gone) return {};
    EKIDEN_TRY(const auto person, find_person(tx, upload->user_id));
    run->person = person.value_or(Person{});
    run->upload = *std::move(upload);
    return {};
  };
  EKIDEN_CO_CHECK(co_await runtime::read(parts_.db, load));
  co_return run;
}

runtime::Task<Result<void>> Importer::import_all(RunPtr run) {
  bool first = true;
  for (;;) {
    run->unpacked = false;
    const std::vector<UploadFile> files = run->upload.files;
    for (const UploadFile& file : files) {
      if (file.status != FileStatus::queued) continue;
      if (run->job.stop_requested()) {
        co_return Error{Errc::unavailable, "stopping", "the program is about to stop"};
      }
      const bool give_up = first && run->job.attempt >= kGiveUpAttempt;
      first = false;
      if (give_up) {
        EKIDEN_CO_CHECK(co_await fail(run, file, not_importable()));
      } else {
        EKIDEN_CO_CHECK(co_await import_file(run, file));
      }
    }
    if (!run->unpacked) co_return Result<void>{};
    EKIDEN_CO_TRY(const RunPtr fresh, co_await begin(run->job));
    if (fresh->is_gone) co_return Result<void>{};
    run->upload = fresh->upload;
  }
}

runtime::Task<Result<void>> Importer::import_file(RunPtr run, UploadFile file) {
  Result<std::shared_ptr<Digested>> digested = co_await digest(run, file);
  if (!digested && is_retryable(digested.error().code())) co_return digested.error();
  if (!digested) co_return co_await fail(run, std::move(file), digested.error());
  run->unpacked = run->unpacked || !(*digested)->entries.empty();
  auto body = [this, run, file, result = *digested](sql::Tx& tx) { return record(tx, *run, file, *result); };
  Result<void> outcome = co_await runtime::write(parts_.db, body);
  if (outcome || is_retryable(outcome.error().code()) || outcome.error().slug() == runtime::kJobTakenOver)
    co_return outcome;
  parts_.logger.error("import_not_recorded", {{"upload", run->upload.upload_id.to_string()},
                                              {"file", file.number},
                                              {"problem", outcome.error().text()}});
  co_return co_await fail(run, std::move(file), outcome.error());
}

runtime::Task<Result<std::shared_ptr<Importer::Digested>>> Importer::digest(RunPtr run, UploadFile file) {
  if (!file.blob_hash) co_return not_importable();
  // Opening it is not sent to the disk pool: what has just been stored is in memory still, and after a
  // restart there is nobody else whom reading the file would hold up.
  auto compute = [this, run, file, hash = *file.blob_hash,
                  now = parts_.clock.now()]() -> Result<std::shared_ptr<Digested>> {
    auto digested = std::make_shared<Digested>();
    if (auto ahead = file.entry ? std::nullopt : parts_.ahead.take(hash)) {
      EKIDEN_TRY(ReadFile read, *std::move(ahead));
      make_workouts(*digested, *run, file, std::move(read), now);
      return digested;
    }
    if (run->blob_hash != hash) {
      EKIDEN_TRY(run->blob, parts_.blobs.open(hash, blob_bytes_max_));
      run->blob_hash = hash;
    }
    const std::string_view blob = run->blob->bytes();
    if (!file.entry && activity::detect(blob) == activity::FileKind::zip) {
      EKIDEN_TRY(digested->entries, list_entries(blob, hash, file.name, limits_));
      return digested;
    }
    EKIDEN_TRY(ReadFile read, read_file(blob, hash, file.entry, limits_));
    make_workouts(*digested, *run, file, std::move(read), now);
    return digested;
  };
  co_return co_await runtime::offload(parts_.cpu, std::move(compute));
}

void Importer::make_workouts(Digested& digested, const Run& run, const UploadFile& file, ReadFile read,
                             Timestamp now) const {
  digested.content_hash = read.content_hash;
  const MakeContext context{.wishes = run.upload.wishes, .person = run.person, .now = now};
  for (activity::Activity& activity : read.activities) {
    Prepared prepared = make_workout(std::move(activity), read.kind, context);
    prepared.workout.workout_id = parts_.ids.make<WorkoutId>();
    prepared.workout.user_id = run.upload.user_id;
    prepared.workout.origin = Origin{.upload_id = run.upload.upload_id,
                                     .file_number = file.number,
                                     .activity_index = static_cast<std::int64_t>(digested.prepared.size()),
                                     .content_hash = read.content_hash};
    digested.prepared.push_back(std::move(prepared));
  }
}

Result<void> Importer::record(sql::Tx& tx, Run& run, UploadFile file, const Digested& digested) const {
  const UserId user_id = run.upload.user_id;
  EKIDEN_TRY(const bool erased, is_erased(tx, user_id));
  if (erased) return parts_.jobs.complete(tx, run.job);
  if (!digested.entries.empty()) return unpack(tx, run, file, digested.entries);
  EKIDEN_TRY(const std::vector<WorkoutId> same, workouts_of_content(tx, user_id, digested.content_hash));
  file.workout_ids.clear();
  for (const WorkoutId& id : same) file.workout_ids.push_back(id.uuid());
  file.status = FileStatus::duplicate;
  if (same.empty()) EKIDEN_CHECK(insert(tx, run, file, digested));
  // What brought nothing new does not keep its content; whoever brought it first does.
  file.holds_blob = file.status == FileStatus::ready;
  EKIDEN_CHECK(end_file(tx, run, file));
  if (!file.holds_blob && file.blob_hash) {
    EKIDEN_CHECK(remove_later(tx, parts_.jobs, {*file.blob_hash}, parts_.clock.now()));
  }
  return {};
}

Result<void> Importer::insert(sql::Tx& tx, const Run& run, UploadFile& file, const Digested& digested) const {
  std::vector<delivery::Envelope> events;
  for (const Prepared& prepared : digested.prepared) {
    const Workout& workout = prepared.workout;
    std::optional<WorkoutId> known;
    if (!workout.device_id.empty()) {
      EKIDEN_TRY(known, workout_of_device(tx, workout.user_id, workout.device_id));
    }
    file.workout_ids.push_back(known.value_or(workout.workout_id).uuid());
    if (known) continue;
    EKIDEN_CHECK(insert_workout(tx, workout));
    EKIDEN_CHECK(put_recording(tx, workout.workout_id, prepared.recording));
    events.push_back(recorded(workout, run.job.payload));
    file.status = FileStatus::ready;
  }
  return parts_.outbox.append_all(tx, std::move(events));
}

Result<void> Importer::unpack(sql::Tx& tx, const Run& run, const UploadFile& file,
                              const std::vector<UploadFile>& entries) const {
  EKIDEN_TRY(const bool fresh, unpack_file(tx, run.upload.upload_id, file.number, entries));
  if (!fresh) return {};
  // Where no entry can be read, nothing keeps the archive.
  if (file.blob_hash) EKIDEN_CHECK(remove_later(tx, parts_.jobs, {*file.blob_hash}, parts_.clock.now()));
  EKIDEN_TRY(const bool ended, advance_upload(tx, run.upload.upload_id, parts_.clock.now()));
  if (ended) return parts_.jobs.complete(tx, run.job);
  return {};
}

Result<void> Importer::end_file(sql::Tx& tx, const Run& run, const UploadFile& file) const {
  EKIDEN_TRY(const bool fresh, finish_file(tx, run.upload.upload_id, file));
  if (!fresh) {
    return Error{Errc::conflict, std::string(runtime::kJobTakenOver),
                 "the file was finished by another attempt"};
  }
  const runtime::Counter& counter = file.status == FileStatus::ready    ? ready_
                                    : file.status == FileStatus::failed ? failed_
                                                                        : duplicate_;
  tx.after_commit([counter] { counter.add(); });
  EKIDEN_TRY(const bool ended, advance_upload(tx, run.upload.upload_id, parts_.clock.now()));
  if (ended) return parts_.jobs.complete(tx, run.job);
  return {};
}

runtime::Task<Result<void>> Importer::fail(RunPtr run, UploadFile file, Error error) {
  if (error.code() == Errc::internal) {
    parts_.logger.error(
        "import_failed",
        {{"upload", run->upload.upload_id.to_string()}, {"file", file.number}, {"problem", error.text()}});
  }
  file.status = FileStatus::failed;
  file.problem = problem_of(error);
  file.workout_ids.clear();
  auto body = [this, run, file](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(const bool erased, is_erased(tx, run->upload.user_id));
    if (erased) return parts_.jobs.complete(tx, run->job);
    return end_file(tx, *run, file);
  };
  co_return co_await runtime::write(parts_.db, body);
}

runtime::Task<Result<void>> Importer::come_back(RunPtr run, Error error) {
  parts_.logger.warning("import_waits",
                        {{"upload", run->upload.upload_id.to_string()}, {"why", error.slug()}});
  auto body = [this, run](sql::Tx& tx) {
    return parts_.jobs.continue_later(tx, run->job, run->job.payload, parts_.clock.now() + kComeBackAfter);
  };
  co_return co_await runtime::write(parts_.db, body);
}

}  // namespace ekiden::workout
