#pragma once

#include <memory>

#include "base/logger.hpp"
#include "delivery/outbox.hpp"
#include "runtime/job_queue.hpp"
#include "runtime/metrics.hpp"
#include "runtime/task.hpp"
#include "runtime/worker_pool.hpp"
#include "services/workout/domain/reading.hpp"
#include "services/workout/jobs/read_ahead.hpp"

namespace ekiden::workout {

inline constexpr std::string_view kImport = "import";

struct ImporterParts {
  sql::Database& db;
  blobs::Blobs& blobs;
  runtime::WorkerPool& cpu;
  const runtime::JobQueue& jobs;
  const delivery::Outbox& outbox;
  ReadAhead& ahead;
  const Clock& clock;
  Ids& ids;
  runtime::Metrics& metrics;
  Logger logger;
};

/// Turns the files of an upload into workouts: one transaction a file, with its workouts, their events and
/// the file's end; the last one also ends the job. Started again, it goes on with the files that have not
/// ended. @threads loops
class Importer {
 public:
  Importer(ImporterParts parts, ReadLimits limits, std::int64_t blob_bytes_max);

  /// The job `import`; its key is the upload's id, its payload the traceparent of the request.
  /// @errors retryable ones of the stores; the job then runs again.
  runtime::Task<Result<void>> run(runtime::Job job);

 private:
  struct Run;       ///< one attempt at an upload
  struct Digested;  ///< what a file came to
  using RunPtr = std::shared_ptr<Run>;

  runtime::Task<Result<void>> import_all(RunPtr run);
  runtime::Task<Result<RunPtr>> begin(runtime::Job job);
  runtime::Task<Result<void>> import_file(RunPtr run, UploadFile file);
  runtime::Task<Result<std::shared_ptr<Digested>>> digest(RunPtr run, UploadFile file);
  void make_workouts(Digested& digested, const Run& run, const UploadFile& file, ReadFile read,
                     Timestamp now) const;
  runtime::Task<Result<void>> fail(RunPtr run, UploadFile file, Error error);
  runtime::Task<Result<void>> come_back(RunPtr run, Error error);

  Result<void> record(sql::Tx& tx, Run& run, UploadFile file, const Digested& digested) const;
  Result<void> end_file(sql::Tx& tx, const Run& run, const UploadFile& file) const;
  Result<void> insert(sql::Tx& tx, const Run& run, UploadFile& file, const Digested& digested) const;
  Result<void> unpack(sql::Tx& tx, const Run& run, const UploadFile& file,
                      const std::vector<UploadFile>& entries) const;

  ImporterParts parts_;
  ReadLimits limits_;
  std::int64_t blob_bytes_max_;
  runtime::Counter ready_;
  runtime::Counter failed_;
  runtime::Counter duplicate_;
};

}  // namespace ekiden::workout
