#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/workout/activity/activity.hpp"
#include "services/workout/activity/byte_source.hpp"

namespace ekiden::activity {

/// Reads a GPX file (1.0 or 1.1): all its tracks together are one activity, every `trkseg` a segment of it.
/// Waypoints and routes are passed over. Elements are known by their local name, whatever their prefix, and
/// sensor values anywhere inside a point's `extensions`, so that Garmin's, Strava's, Apple's, Cluetrust's and
/// OpenTracks' are all read. A value that cannot be read is left out with a warning; a position that cannot
/// is an error.
/// @errors invalid      not well-formed XML, a DTD (`xml-doctype-forbidden`), `xml-too-deep` and the like,
/// not a GPX
///                      file (`not-gpx`), no recorded point (`no-track-points`), a position that is none
///                      (`invalid-position`, field `points[3].lat`).
///         too_large    more points than `points_max`, a token beyond `token_max`.
///         unsupported  an encoding other than UTF-8, UTF-16 with a mark, US-ASCII and ISO-8859-1.
/// @threads any   @source topografix.com/GPX/1/1, topografix.com/gpx_manual.asp (1.0)
Result<std::vector<Activity>> parse_gpx(std::string_view bytes, const ParseLimits& limits);

/// The same from a source, of which no more than a block is in memory at once. @errors also the source's.
Result<std::vector<Activity>> parse_gpx(ByteSource& source, const ParseLimits& limits);

/// The same from an open file, which is read from where it stands and is not closed.
/// @errors also unavailable: the file could not be read.
Result<std::vector<Activity>> parse_gpx_file(int descriptor, const ParseLimits& limits);

/// The same, fed in pieces of any size. @threads one at a time
class GpxReader {
 public:
  explicit GpxReader(const ParseLimits& limits);
  ~GpxReader();
  GpxReader(const GpxReader&) = delete;
  GpxReader& operator=(const GpxReader&) = delete;

  /// Takes the next bytes. @errors as `parse_gpx`; nothing may be fed after one.
  Result<void> feed(std::string_view bytes);
  /// The file ends here: what was in it. To be called once.
  Result<std::vector<Activity>> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ekiden::activity
