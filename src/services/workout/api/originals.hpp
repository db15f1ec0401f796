#pragma once

#include "runtime/task.hpp"
#include "runtime/worker_pool.hpp"
#include "services/workout/domain/reading.hpp"
#include "services/workout/store/uploads.hpp"

namespace ekiden::workout {

/// Reads what was uploaded once more. @threads loops
class Originals {
 public:
  Originals(sql::Database& db, blobs::Blobs& blobs, runtime::WorkerPool& cpu, runtime::WorkerPool& disk,
            ReadLimits limits, std::int64_t blob_bytes_max)
      : db_(db), blobs_(blobs), cpu_(cpu), disk_(disk), limits_(limits), blob_bytes_max_(blob_bytes_max) {}

  /// A file as it was uploaded; an archive's entry is taken out of it.
  struct File {
    std::string name;
    std::shared_ptr<const blobs::Content> blob;  ///< the file itself; of an entry
    std::string entry;                           ///< what was taken out of it
    bool is_entry = false;
    std::string_view bytes() const { return is_entry ? std::string_view(entry) : blob->bytes(); }
  };
  /// @errors not_found: the workout has no file; and the stores'.
  runtime::Task<Result<File>> read(Workout workout, Deadline deadline);

  /// The figures of `workout` computed anew from its file, under `workout.sport`. Errors as `read`; internal:
  /// the file, which could be read once, cannot any more.
  runtime::Task<Result<Prepared>> recompute(Workout workout, Person person, Timestamp now, Deadline deadline);

 private:
  struct Loaded {
    Original original;
    std::shared_ptr<const blobs::Content> blob;
  };
  runtime::Task<Result<Loaded>> load(Workout workout, Deadline deadline);

  sql::Database& db_;
  blobs::Blobs& blobs_;
  runtime::WorkerPool& cpu_;
  runtime::WorkerPool& disk_;
  ReadLimits limits_;
  std::int64_t blob_bytes_max_;
};

}  // namespace ekiden::workout
