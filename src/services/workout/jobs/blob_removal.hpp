#pragma once

#include <vector>

#include "ports/blobs/blobs.hpp"
#include "ports/sql/sql.hpp"
#include "runtime/job_queue.hpp"
#include "runtime/task.hpp"
#include "runtime/worker_pool.hpp"

namespace ekiden::workout {

inline constexpr std::string_view kRemoveBlobs = "remove_blobs";

/// Notes blobs that may have lost their last reference, and makes the job that removes them.
Result<void> remove_later(sql::Tx& tx, const runtime::JobQueue& jobs, const std::vector<blobs::Hash>& hashes,
                          Timestamp now);

/// The job: removes each noted blob that nothing refers to. May run twice. @threads loops
class BlobRemoval {
 public:
  BlobRemoval(sql::Database& db, blobs::Blobs& blobs, runtime::WorkerPool& disk,
              const runtime::JobQueue& jobs, const Clock& clock)
      : db_(db), blobs_(blobs), disk_(disk), jobs_(jobs), clock_(clock) {}

  runtime::Task<Result<void>> run(runtime::Job job);

 private:
  runtime::Task<Result<void>> remove(blobs::Hash hash);

  sql::Database& db_;
  blobs::Blobs& blobs_;
  runtime::WorkerPool& disk_;
  const runtime::JobQueue& jobs_;
  const Clock& clock_;
};

}  // namespace ekiden::workout
