#pragma once

#include <string>

#include "http/message.hpp"
#include "ports/blobs/blobs.hpp"
#include "services/workout/domain/upload.hpp"

namespace ekiden::workout {

/// Reads what the uploader says beside the files.
/// @errors invalid `unknown-field`, `repeated-field`, `unknown-value`, `bad-id`, `too-many`, and as
/// clean_text; `missing-file`,
///         `too-many-files` for the files.
Result<UploadWishes> read_wishes(const http::Form& form, std::int64_t files_max);

/// A person's ids of gear, separated by commas. @errors invalid `bad-id`, `too-many`.
Result<void> append_gear(std::vector<Uuid>& gear_ids, std::string_view text);

/// What tells this form from another under the same Idempotency-Key.
std::string fingerprint(const UploadWishes& wishes, const std::vector<UploadFile>& files);

/// The received files, stored together. Blocks for the disk; when it returns, all are durable.
/// @returns for each a file that is queued, or that has failed at once: empty, or of no kind that is read.
/// @errors unavailable, storage_full.
Result<std::vector<UploadFile>> store_files(const std::vector<http::ReceivedFile>& received,
                                            blobs::Blobs& blobs);

}  // namespace ekiden::workout
