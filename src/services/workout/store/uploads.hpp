#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ports/sql/sql.hpp"
#include "services/workout/domain/upload.hpp"

namespace ekiden::workout {

/// Writes the upload and all its files.
Result<void> insert_upload(sql::Tx& tx, const Upload& upload);
Result<std::optional<Upload>> find_upload(sql::Tx& tx, UploadId upload_id);

/// One's uploads, the newest first, without their files' workouts. @param after the last one of the page
/// before.
struct UploadPlace {
  Timestamp created_at;
  UploadId upload_id;
};
Result<std::vector<Upload>> list_uploads(sql::Tx& tx, UserId user_id, const std::optional<UploadPlace>& after,
                                         std::int64_t limit);

/// The upload that brought the same files before, while it is in work or all of its workouts live.
Result<std::optional<Upload>> find_same_upload(sql::Tx& tx, UserId user_id, const blobs::Hash& content_hash);

/// Writes how a file ended. False where it is not queued any more: somebody was here before.
Result<bool> finish_file(sql::Tx& tx, UploadId upload_id, const UploadFile& file);
/// Turns an archive's row into rows of its entries. False as `finish_file`.
Result<bool> unpack_file(sql::Tx& tx, UploadId upload_id, std::int64_t number,
                         const std::vector<UploadFile>& entries);
/// Counts finished files again. @returns true where it was the last: the upload has ended.
Result<bool> advance_upload(sql::Tx& tx, UploadId upload_id, Timestamp now);

/// What is read again when a workout is computed anew, or handed back.
struct Original {
  std::string name;
  blobs::Hash blob_hash;
  std::optional<std::int64_t> entry;
};
/// nullopt where the file is gone.
Result<std::optional<Original>> find_original(sql::Tx& tx, const Origin& origin);

/// Lets go of a file's blob where no workout was read from it any more. @returns the blob, where nothing else
/// refers to it.
Result<std::optional<blobs::Hash>> release_file(sql::Tx& tx, const Origin& origin);

}  // namespace ekiden::workout
