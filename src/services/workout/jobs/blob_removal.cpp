#include "services/workout/jobs/blob_removal.hpp"

#include "runtime/offload.hpp"
#include "runtime/sql_task.hpp"
#include "services/workout/store/blob_refs.hpp"

namespace ekiden::workout {

namespace {

/// Longer than any upload takes from storing its files to writing its rows.
constexpr std::chrono::hours kKeepNotes{2};
/// A job's payload stays small, whoever is erased.
constexpr std::size_t kHashesMax = 1000;
constexpr std::size_t kHexDigits = 64;

}  // namespace

Result<void> remove_later(sql::Tx& tx, const runtime::JobQueue& jobs, const std::vector<blobs::Hash>& hashes,
                          Timestamp now) {
  EKIDEN_TRY(const std::vector<blobs::Hash> noted, note_removals(tx, hashes, now));
  std::string payload;
  for (std::size_t i = 0; i < noted.size(); ++i) {
    payload += noted[i].to_hex();
    if (payload.size() < kHashesMax * kHexDigits && i + 1 < noted.size()) continue;
    EKIDEN_CHECK(jobs.enqueue(tx, {.kind = std::string(kRemoveBlobs), .payload = std::move(payload)}));
    payload.clear();
  }
  return {};
}

runtime::Task<Result<void>> BlobRemoval::remove(blobs::Hash hash) {
  auto begin = [this, hash](sql::Tx& tx) { return begin_removal(tx, hash, clock_.now()); };
  EKIDEN_CO_TRY(const bool unreferenced, co_await runtime::write(db_, begin));
  if (!unreferenced) co_return Result<void>{};
  auto remove = [this, hash] { return blobs_.remove(hash); };
  EKIDEN_CO_CHECK(co_await runtime::offload(disk_, remove));
  auto end = [this, hash](sql::Tx& tx) { return end_removal(tx, hash, clock_.now()); };
  co_return co_await runtime::write(db_, end);
}

runtime::Task<Result<void>> BlobRemoval::run(runtime::Job job) {
  const std::string_view payload = job.payload;
  for (std::size_t at = 0; at < payload.size(); at += kHexDigits) {
    const auto hash = blobs::Hash::parse_hex(payload.substr(at, kHexDigits));
    if (!hash) co_return Error{Errc::internal, "bad-job", "the job's payload is no list of hashes"};
    EKIDEN_CO_CHECK(co_await remove(*hash));
  }
  auto complete = [this, &job](sql::Tx& tx) -> Result<void> {
    EKIDEN_CHECK(prune_removals(tx, clock_.now() - kKeepNotes));
    return jobs_.complete(tx, job);
  };
  co_return co_await runtime::write(db_, complete);
}

}  // namespace ekiden::workout
