#pragma once

#include <string>

#include "services/workout/activity/activity.hpp"

namespace ekiden::activity {

/// `activity` as GPX 1.1: one track, a `trkseg` a segment, Garmin's TrackPointExtension v2 (temperature,
/// heart rate, cadence, speed) and power as gpx.studio and Strava write it. Samples without a position are
/// left out: GPX has no place for them. Numbers are the shortest that read back the same, never in 1e-05
/// notation. @threads any
std::string to_gpx(const Activity& activity);

/// `activity` as TCX: the device's laps where they begin at known times, else one lap; a pause is a second
/// `Track`. Samples without a time are left out: TCX demands one. @threads any
/// @source garmin.com/xmlschemas/TrainingCenterDatabasev2.xsd, ActivityExtensionv2.xsd
std::string to_tcx(const Activity& activity);

}  // namespace ekiden::activity
