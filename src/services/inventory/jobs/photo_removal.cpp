#include "services/inventory/jobs/photo_removal.hpp"

#include "runtime/offload.hpp"
#include "runtime/sql_task.hpp"
#include "services/inventory/store/gear.hpp"

namespace ekiden::inventory {

namespace {

/// A job's payload stays small, whoever is erased.
constexpr std::size_t kHashesMax = 1000;
constexpr std::size_t kHexDigits = 64;

}  // namespace

Result<void> remove_photos(sql::Tx& tx, const runtime::JobQueue& jobs, const std::vector<blobs::Hash>& hashes,
                           Timestamp when) {
  std::string payload;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    payload += hashes[i].to_hex();
    if (payload.size() < kHashesMax * kHexDigits && i + 1 < hashes.size()) continue;
    EKIDEN_CHECK(jobs.enqueue(
        tx, {.kind = std::string(kRemovePhotos), .payload = std::move(payload), .run_at = when}));
    payload.clear();
  }
  return {};
}

runtime::Task<Result<void>> PhotoRemoval::remove(blobs::Hash hash) {
  // Decides a removal, so it is no read on a snapshot that may be old.
  auto look = [hash](sql::Tx& tx) { return is_photo_kept(tx, hash); };
  EKIDEN_CO_TRY(const bool kept, co_await runtime::write(db_, look));
  if (kept) co_return Result<void>{};
  auto remove = [this, hash] { return blobs_.remove(hash); };
  EKIDEN_CO_CHECK(co_await runtime::offload(disk_, remove));
  co_return Result<void>{};
}

runtime::Task<Result<void>> PhotoRemoval::run(runtime::Job job) {
  const std::string_view payload = job.payload;
  for (std::size_t at = 0; at < payload.size(); at += kHexDigits) {
    const auto hash = blobs::Hash::parse_hex(payload.substr(at, kHexDigits));
    if (!hash) co_return Error{Errc::internal, "bad-job", "the job's payload is no list of hashes"};
    EKIDEN_CO_CHECK(co_await remove(*hash));
  }
  auto complete = [this, &job](sql::Tx& tx) { return jobs_.complete(tx, job); };
  co_return co_await runtime::write(db_, complete);
}

}  // namespace ekiden::inventory
