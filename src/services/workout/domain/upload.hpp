#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include "services/workout/domain/workout.hpp"

namespace ekiden::workout {

enum class UploadStatus : std::uint8_t { queued, processing, ready, failed, duplicate };
BOOST_DESCRIBE_ENUM(UploadStatus, queued, processing, ready, failed, duplicate)
/// `unpacked`: an archive, whose entries have taken its place.
enum class FileStatus : std::uint8_t { queued, ready, failed, duplicate, unpacked };
BOOST_DESCRIBE_ENUM(FileStatus, queued, ready, failed, duplicate, unpacked)

std::string_view to_string(UploadStatus status);
std::string_view to_string(FileStatus status);
/// Throw std::logic_error where the database holds another word.
UploadStatus upload_status(std::string_view text);
FileStatus file_status(std::string_view text);

/// What is wrong with a file (RFC 9457).
struct Problem {
  std::string type;
  std::string title;
  std::int64_t status = 0;
  std::string detail;
  std::optional<std::string> field;
  friend bool operator==(const Problem&, const Problem&) = default;
};
BOOST_DESCRIBE_STRUCT(Problem, (), (type, title, status, detail, field))
Problem problem_of(const Error& error);

/// A file of an upload, or an entry of one of its archives.
struct UploadFile {
  std::int64_t number = 0;
  std::string name;
  FileStatus status = FileStatus::queued;
  std::optional<blobs::Hash> blob_hash{};  ///< of the archive, for an entry; nullopt where nothing was kept
  bool holds_blob = false;
  std::int64_t bytes = 0;               ///< of what was received; known while it is received
  std::optional<std::int64_t> entry{};  ///< its place in the archive
  std::vector<Uuid> workout_ids{};
  std::optional<Problem> problem{};
  friend bool operator==(const UploadFile&, const UploadFile&) = default;
};

/// What the uploader says of all workouts in an upload.
struct UploadWishes {
  std::string name{};
  std::optional<activity::Sport> sport{};
  std::optional<Visibility> visibility{};
  std::vector<Uuid> gear_ids{};
  std::string external_id{};
  friend bool operator==(const UploadWishes&, const UploadWishes&) = default;
};

struct Upload {
  UploadId upload_id;
  UserId user_id;
  UploadStatus status = UploadStatus::queued;
  UploadWishes wishes{};
  blobs::Hash content_hash;  ///< of all files together
  std::int64_t files_total = 0;
  std::int64_t files_done = 0;
  Timestamp created_at;
  std::optional<Timestamp> ended_at{};
  std::vector<UploadFile> files{};
};

/// How an upload ended, from how many of its files ended how: ready where any is, else duplicate where any
/// is.
UploadStatus outcome_of(std::int64_t ready, std::int64_t duplicate);

/// One hash for a set of files, in any order; for one file its own.
blobs::Hash content_hash_of(std::vector<blobs::Hash> hashes);

}  // namespace ekiden::workout
