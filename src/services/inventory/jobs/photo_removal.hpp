#pragma once

#include <vector>

#include "ports/blobs/blobs.hpp"
#include "ports/sql/sql.hpp"
#include "runtime/job_queue.hpp"
#include "runtime/task.hpp"
#include "runtime/worker_pool.hpp"

namespace ekiden::inventory {

inline constexpr std::string_view kRemovePhotos = "remove_photos";

/// Orders that these blobs go, not before `when`, unless a piece of gear has one as its photo then. Each
/// photo is a blob of its own, so nobody else refers to it.
Result<void> remove_photos(sql::Tx& tx, const runtime::JobQueue& jobs, const std::vector<blobs::Hash>& hashes,
                           Timestamp when);

/// The job. May run twice. @threads loops
class PhotoRemoval {
 public:
  PhotoRemoval(sql::Database& db, blobs::Blobs& blobs, runtime::WorkerPool& disk,
               const runtime::JobQueue& jobs)
      : db_(db), blobs_(blobs), disk_(disk), jobs_(jobs) {}

  runtime::Task<Result<void>> run(runtime::Job job);

 private:
  runtime::Task<Result<void>> remove(blobs::Hash hash);

  sql::Database& db_;
  blobs::Blobs& blobs_;
  runtime::WorkerPool& disk_;
  const runtime::JobQueue& jobs_;
};

}  // namespace ekiden::inventory
