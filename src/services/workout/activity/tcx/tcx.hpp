#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/workout/activity/activity.hpp"
#include "services/workout/activity/byte_source.hpp"

namespace ekiden::activity {

/// Reads a TCX file: every `Activity` in it is one, a second `Track` inside a `Lap` is a pause, and so is a
/// gap of more than a minute between laps. Garmin's extensions (speed, cadence of runs, power) are read. An
/// activity without a track point is left out with a warning where another has some. What is optional and
/// cannot be read is left out with a warning; a position that cannot is an error.
/// @errors invalid      not well-formed XML, a DTD (`xml-doctype-forbidden`), `xml-too-deep` and the like,
/// not a TCX
///                      file (`not-tcx`), courses or workouts only (`not-an-activity`), no track point at all
///                      (`no-track-points`), a position that is none (`invalid-position`, field
///                      `points[3].lat`).
///         too_large    more points than `points_max`, more activities than `activities_max`, a token beyond
///                      `token_max`.
///         unsupported  an encoding other than UTF-8, UTF-16 with a mark, US-ASCII and ISO-8859-1.
/// @threads any   @source garmin.com/xmlschemas/TrainingCenterDatabasev2.xsd, ActivityExtensionv2.xsd
Result<std::vector<Activity>> parse_tcx(std::string_view bytes, const ParseLimits& limits);

/// The same from a source, of which no more than a block is in memory at once. @errors also the source's.
Result<std::vector<Activity>> parse_tcx(ByteSource& source, const ParseLimits& limits);

/// The same from an open file, which is read from where it stands and is not closed.
/// @errors also unavailable: the file could not be read.
Result<std::vector<Activity>> parse_tcx_file(int descriptor, const ParseLimits& limits);

/// The same, fed in pieces of any size. @threads one at a time
class TcxReader {
 public:
  explicit TcxReader(const ParseLimits& limits);
  ~TcxReader();
  TcxReader(const TcxReader&) = delete;
  TcxReader& operator=(const TcxReader&) = delete;

  /// Takes the next bytes. @errors as `parse_tcx`; nothing may be fed after one.
  Result<void> feed(std::string_view bytes);
  /// The file ends here: what was in it. To be called once.
  Result<std::vector<Activity>> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ekiden::activity
