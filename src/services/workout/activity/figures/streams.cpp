#include "services/workout/activity/figures/streams.hpp"

#include <algorithm>
#include <cmath>

#include "services/workout/activity/figures/geodesy.hpp"
#include "services/workout/activity/figures/sport_rules.hpp"

namespace ekiden::activity {
namespace {

constexpr double kAltitudeMaxM = 10'000;
/// 0/0 is a place; a sensor without a fix is it that jumps there from afar.
constexpr double kNullIslandJumpM = 1'000'000;
constexpr double kTeleportM = 1000;
constexpr double kTeleportMps = 100;
/// Years 0 to 9999, so that differences cannot overflow.
constexpr std::int64_t kTimeMinMs = -62'167'219'200'000;
constexpr std::int64_t kTimeMaxMs = 253'402'300'799'999;

/// The samples' positions with what is none taken out, and the way along them.
struct Way {
  std::vector<double> latitude_deg;
  std::vector<double> longitude_deg;
  std::vector<double> distance_m;
  bool any = false;
};

std::int64_t time_of(const Samples& samples, std::size_t i) {
  const std::int64_t time_ms = samples.time_ms[i];
  return time_ms >= kTimeMinMs && time_ms <= kTimeMaxMs ? time_ms : kNoTime;
}

std::vector<bool> segment_begins(const Activity& activity) {
  std::vector<bool> begins(activity.samples.size(), false);
  if (!begins.empty()) begins[0] = true;
  for (const std::uint32_t start : activity.segment_starts) {
    if (start < begins.size()) begins[start] = true;
  }
  return begins;
}

bool is_position(double latitude, double longitude) {
  return std::abs(latitude) <= 90 && std::abs(longitude) <= 180;  // false for NaN
}

void drop_null_island(Way& way) {
  std::size_t known = way.latitude_deg.size();
  const auto is_null = [&](std::size_t i) { return way.latitude_deg[i] == 0 && way.longitude_deg[i] == 0; };
  for (std::size_t i = 0; i < way.latitude_deg.size() && known == way.latitude_deg.size(); ++i) {
    if (!std::isnan(way.latitude_deg[i]) && !is_null(i)) known = i;
  }
  if (known == way.latitude_deg.size()) return;
  for (std::size_t i = 0; i < way.latitude_deg.size(); ++i) {
    if (std::isnan(way.latitude_deg[i])) continue;
    if (!is_null(i)) {
      known = i;
    } else if (haversine_m(0, 0, way.latitude_deg[known], way.longitude_deg[known]) > kNullIslandJumpM) {
      way.latitude_deg[i] = kAbsentPosition;
      way.longitude_deg[i] = kAbsentPosition;
    }
  }
}

Way positions_of(const Samples& samples) {
  Way way;
  if (samples.latitude_deg.size() != samples.size() || samples.longitude_deg.size() != samples.size())
    return way;
  way.latitude_deg = samples.latitude_deg;
  way.longitude_deg = samples.longitude_deg;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (is_position(way.latitude_deg[i], way.longitude_deg[i])) {
      way.any = true;
    } else {
      way.latitude_deg[i] = kAbsentPosition;
      way.longitude_deg[i] = kAbsentPosition;
    }
  }
  if (way.any) drop_null_island(way);
  return way;
}

/// Sums up the way along the positions, and looks for steps that nothing could have made.
void measure_way(const Activity& activity, const std::vector<bool>& begins, Way& way, Cleaned& cleaned) {
  const Samples& samples = activity.samples;
  way.distance_m.resize(samples.size());
  constexpr auto kNone = static_cast<std::size_t>(-1);
  std::size_t before = kNone;
  Place from_place;
  double sum = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (begins[i]) before = kNone;
    if (!std::isnan(way.latitude_deg[i])) {
      const Place place = Place::at(way.latitude_deg[i], way.longitude_deg[i]);
      if (before != kNone) {
        const double step = haversine_m(from_place, place);
        sum += step;
        const std::int64_t from = time_of(samples, before);
        const std::int64_t to = time_of(samples, i);
        const bool timed = from != kNoTime && to != kNoTime;
        const double seconds = timed ? static_cast<double>(to - from) / 1000 : 0;
        if (timed && step >= kTeleportM && (seconds <= 0 || step / seconds > kTeleportMps)) {
          cleaned.worst_step_m = std::max(cleaned.worst_step_m, step);
        }
      }
      before = i;
      from_place = place;
    }
    way.distance_m[i] = sum;
  }
  cleaned.length_m = sum;
}

/// Indices in the order of time; of equal times the last. Without any time: all.
void order_by_time(const Samples& samples, Cleaned& cleaned) {
  std::vector<std::uint32_t>& order = cleaned.by_time;
  order.reserve(samples.size());
  std::int64_t before = kNoTime;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::int64_t time_ms = time_of(samples, i);
    if (time_ms == kNoTime) {
      ++cleaned.untimed;
      continue;
    }
    cleaned.time_goes_back = cleaned.time_goes_back || (before != kNoTime && time_ms < before);
    before = time_ms;
    const std::int64_t last = order.empty() ? kNoTime : samples.time_ms[order.back()];
    if (!order.empty() && time_ms < last) continue;
    if (!order.empty() && time_ms == last) order.pop_back();
    order.push_back(static_cast<std::uint32_t>(i));
  }
  if (!order.empty()) return;
  for (std::size_t i = 0; i < samples.size(); ++i) order.push_back(static_cast<std::uint32_t>(i));
}

/// The samples that are kept: by time, and without those whose distance falls.
std::vector<std::uint32_t> keep(const Samples& samples, const std::vector<double>& distance_m, bool timed) {
  std::vector<std::uint32_t> kept;
  kept.reserve(samples.size());
  double reached = -1;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double here = distance_m[i];
    if (here < reached) continue;
    if (timed) {
      const std::int64_t time_ms = time_of(samples, i);
      const std::int64_t last = kept.empty() ? kNoTime : samples.time_ms[kept.back()];
      if (time_ms == kNoTime || time_ms < last) continue;
      if (!kept.empty() && time_ms == last) {
        if (std::isnan(here) && !std::isnan(distance_m[kept.back()])) continue;
        kept.pop_back();
      }
    }
    if (!std::isnan(here)) reached = here;
    kept.push_back(static_cast<std::uint32_t>(i));
  }
  return kept;
}

template <class T>
std::vector<T> pick(const std::vector<T>& column, const std::vector<std::uint32_t>& kept) {
  std::vector<T> out;
  if (column.empty()) return out;
  out.reserve(kept.size());
  for (const std::uint32_t i : kept) out.push_back(column[i]);
  return out;
}

std::vector<double> pick_altitudes(const std::vector<double>& column,
                                   const std::vector<std::uint32_t>& kept) {
  std::vector<double> out = pick(column, kept);
  for (double& altitude : out) {
    if (std::abs(altitude) > kAltitudeMaxM) altitude = kAbsentPosition;
  }
  return out;
}

/// The device's distances where it has any, else none.
std::vector<double> recorded_distances(const Samples& samples, Cleaned& cleaned) {
  if (samples.distance_m.size() != samples.size()) return {};
  std::vector<double> distances = samples.distance_m;
  cleaned.stream_start_m = -1;
  for (double& distance : distances) {
    if (!(distance >= 0 && distance < 1e12)) distance = kAbsentPosition;
    if (std::isnan(distance)) continue;
    if (cleaned.stream_start_m < 0) cleaned.stream_start_m = distance;
    cleaned.stream_m = std::max(cleaned.stream_m, distance);
  }
  cleaned.stream_start_m = std::max(0.0, cleaned.stream_start_m);
  cleaned.has_recorded_distance = cleaned.stream_m > 0;
  return distances;
}

/// Chooses between the device's distances and those of the positions, and what is kept with them.
std::vector<std::uint32_t> choose_distances(const Samples& samples, Way& way, Cleaned& cleaned,
                                            std::vector<double>& distances) {
  const bool timed = cleaned.untimed < samples.size();
  distances = recorded_distances(samples, cleaned);
  if (cleaned.has_recorded_distance) {
    std::vector<std::uint32_t> kept = keep(samples, distances, timed);
    // A device whose distance jumps up once would lose all that follows.
    if (!way.any || kept.size() * 2 >= cleaned.by_time.size()) return kept;
    cleaned.has_recorded_distance = false;
  }
  if (way.any) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (std::isnan(way.latitude_deg[i])) way.distance_m[i] = kAbsentPosition;
    }
    distances = std::move(way.distance_m);
  }
  if (distances.empty()) distances.assign(samples.size(), kAbsentPosition);
  return keep(samples, distances, timed);
}

/// Segment starts of the samples kept; a segment of which nothing was kept is none.
std::vector<std::uint32_t> kept_segments(const std::vector<bool>& begins,
                                         const std::vector<std::uint32_t>& kept) {
  std::vector<std::uint32_t> starts;
  std::size_t at = 0;
  for (std::size_t k = 0; k < kept.size(); ++k) {
    bool border = k == 0;
    for (; at <= kept[k]; ++at) border = border || begins[at];
    if (border) starts.push_back(static_cast<std::uint32_t>(k));
  }
  return starts;
}

/// Fills `track` with the samples kept that have a distance, and returns which these are.
std::vector<std::uint32_t> fill_track(const Streams& streams, const std::vector<double>& distances,
                                      Track& track) {
  std::vector<std::uint32_t> rows;
  std::size_t segment = 0;
  bool after_pause = false;
  for (std::size_t k = 0; k < distances.size(); ++k) {
    if (segment < streams.segment_starts.size() && streams.segment_starts[segment] == k) {
      after_pause = true;
      ++segment;
    }
    if (std::isnan(distances[k]) || streams.time_ms.empty()) continue;
    track.time_ms.push_back(streams.time_ms[k]);
    track.distance_m.push_back(distances[k]);
    track.after_pause.push_back(after_pause);
    rows.push_back(static_cast<std::uint32_t>(k));
    after_pause = false;
  }
  return rows;
}

void fill_streams(const Activity& activity, const Way& way, const std::vector<std::uint32_t>& kept,
                  bool timed, Streams& streams) {
  const Samples& samples = activity.samples;
  if (timed) streams.time_ms = pick(samples.time_ms, kept);
  if (way.any) {
    streams.latitude_deg = pick(way.latitude_deg, kept);
    streams.longitude_deg = pick(way.longitude_deg, kept);
  }
  streams.altitude_m = pick_altitudes(samples.altitude_m, kept);
  streams.speed_mps = pick(samples.speed_mps, kept);
  streams.heart_rate_bpm = pick(samples.heart_rate_bpm, kept);
  streams.cadence_rpm = pick(samples.cadence_rpm, kept);
  streams.power_w = pick(samples.power_w, kept);
  streams.temperature_c = pick(samples.temperature_c, kept);
}

}  // namespace

Cleaned clean(const Activity& activity) {
  const Samples& samples = activity.samples;
  Cleaned cleaned;
  const std::vector<bool> begins = segment_begins(activity);
  Way way = positions_of(samples);
  cleaned.has_positions = way.any;
  if (way.any) measure_way(activity, begins, way, cleaned);
  order_by_time(samples, cleaned);
  std::vector<double> all_distances;
  const std::vector<std::uint32_t> kept = choose_distances(samples, way, cleaned, all_distances);
  Streams& streams = cleaned.streams;
  fill_streams(activity, way, kept, cleaned.untimed < samples.size(), streams);
  streams.segment_starts = kept_segments(begins, kept);
  streams.distance_m = pick(all_distances, kept);
  const std::vector<std::uint32_t> rows = fill_track(streams, streams.distance_m, cleaned.track);
  double before = cleaned.track.size() == 0 ? 0 : cleaned.track.distance_m.front();
  for (double& distance : streams.distance_m) {
    if (std::isnan(distance)) distance = before;
    before = distance;
  }
  if (streams.speed_mps.empty() && !rows.empty()) {
    const std::vector<float> speeds = window_speed(cleaned.track);
    streams.speed_mps.assign(streams.size(), kAbsent);
    for (std::size_t k = 0; k < rows.size(); ++k) streams.speed_mps[rows[k]] = speeds[k];
  }
  const bool ground = sport_rules(activity.sport).altitude_counts && !activity.indoor;
  if (ground && !streams.altitude_m.empty()) {
    streams.grade_percent = grade_percent(streams.altitude_m, streams.distance_m);
  }
  return cleaned;
}

}  // namespace ekiden::activity
