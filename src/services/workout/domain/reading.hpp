#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/workout/activity/activity.hpp"
#include "services/workout/activity/archive/detect.hpp"
#include "services/workout/activity/archive/zip.hpp"
#include "services/workout/domain/upload.hpp"

namespace ekiden::workout {

/// What reading one file may use up.
struct ReadLimits {
  activity::ParseLimits parse{};
  activity::InflateLimits inflate{};
  activity::ZipLimits zip{};
};

/// A file that was read.
struct ReadFile {
  activity::FileKind kind = activity::FileKind::unknown;  ///< gpx, tcx or fit
  blobs::Hash content_hash;                               ///< of the unpacked bytes
  std::vector<activity::Activity> activities;
};

/// Unpacks (one level deep) and parses. All of it computes: for the background pool.
/// @param blob        the file as uploaded, or the archive that it lies in.
/// @param blob_hash   of those bytes.
/// @param entry       its place in the archive.
/// @errors unsupported `unsupported-file-type`; invalid, too_large: as the parsers and archives. Nothing
/// else.
Result<ReadFile> read_file(std::string_view blob, const blobs::Hash& blob_hash,
                           std::optional<std::int64_t> entry, const ReadLimits& limits);

/// The bytes of an archive's entry.
Result<std::string> read_entry(std::string_view archive, std::int64_t entry, const ReadLimits& limits);

/// The entries of an archive as files of an upload; what cannot be read has its problem already.
/// @errors invalid `bad-archive`: the archive as a whole, or it holds no file.
Result<std::vector<UploadFile>> list_entries(std::string_view archive, const blobs::Hash& blob_hash,
                                             std::string_view name, const ReadLimits& limits);

/// A workout with all its numbers, ready to be written.
struct Prepared {
  Workout workout;
  Recording recording;
};

/// What a workout is made with, beside its file.
struct MakeContext {
  UploadWishes wishes{};
  Person person{};
  Timestamp now;
};

/// Computes everything of one activity. Ids and origin are the caller's to fill in.
Prepared make_workout(activity::Activity activity, activity::FileKind kind, const MakeContext& context);

/// The figures anew under another sport, all else as `workout` has it. `workout.sport` is the new one.
Prepared remake_workout(Workout workout, activity::Activity activity, const MakeContext& context);

}  // namespace ekiden::workout
