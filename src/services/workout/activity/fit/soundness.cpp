#include "services/workout/activity/fit/soundness.hpp"

#include <algorithm>
#include <cmath>

#include "services/workout/activity/fit/totals.hpp"

namespace ekiden::activity::fit {
namespace {

constexpr double kSpeedMax_mps = 60;
constexpr double kTotalSlack = 0.005;
constexpr double kTotalSlack_m = 20;
constexpr double kHeartRateSlack_bpm = 4;
constexpr std::int64_t kSlack_ms = 120'000;

bool is_complete(const Recording& recording) {
  if (!recording.file_id || (*recording.file_id)[file_id::type] != kActivityFile) return false;
  if (!recording.activity || recording.sessions.empty() || recording.laps.empty()) return false;
  const double sessions = (*recording.activity)[activity_message::sessions];
  if (sessions != static_cast<double>(recording.sessions.size())) return false;
  return recording.samples.size() > 1 && recording.in_order && recording.bad_positions == 0 &&
         recording.records == recording.samples.size();
}

bool times_agree(const Recording& recording) {
  std::int64_t first_ms = kNoTime;
  std::int64_t last_ms = kNoTime;
  for (const Slots& session : recording.sessions) {
    const std::int64_t start_ms = start_of(session);
    const double elapsed_s = session[total::elapsed];
    if (start_ms == kNoTime || std::isnan(elapsed_s)) return false;
    const std::int64_t end_ms = start_ms + static_cast<std::int64_t>(elapsed_s * 1000);
    first_ms = first_ms == kNoTime ? start_ms : std::min(first_ms, start_ms);
    last_ms = std::max(last_ms, end_ms);
  }
  const Samples& samples = recording.samples;
  return std::abs(samples.time_ms.front() - first_ms) <= kSlack_ms &&
         std::abs(samples.time_ms.back() - last_ms) <= kSlack_ms;
}

double metres_between(const Samples& samples, std::size_t a, std::size_t b) {
  constexpr double kMetresPerDegree = 111'195;
  const double north = samples.latitude_deg[b] - samples.latitude_deg[a];
  const double shrink = std::cos(samples.latitude_deg[a] * 3.14159265358979 / 180);
  const double east = std::remainder(samples.longitude_deg[b] - samples.longitude_deg[a], 360) * shrink;
  return std::hypot(north, east) * kMetresPerDegree;
}

bool leaps(double metres, std::int64_t from_ms, std::int64_t to_ms) {
  return metres > kSpeedMax_mps * static_cast<double>(to_ms - from_ms) / 1000 + kTotalSlack_m;
}

bool path_is_smooth(const Samples& samples) {
  std::size_t last = samples.size();
  for (std::size_t i = 0; i < samples.latitude_deg.size(); ++i) {
    if (std::isnan(samples.latitude_deg[i])) continue;
    if (last < i && leaps(metres_between(samples, last, i), samples.time_ms[last], samples.time_ms[i]))
      return false;
    last = i;
  }
  last = samples.size();
  for (std::size_t i = 0; i < samples.distance_m.size(); ++i) {
    if (std::isnan(samples.distance_m[i])) continue;
    const double before = last < i ? samples.distance_m[last] : 0;
    const std::int64_t before_ms = last < i ? samples.time_ms[last] : samples.time_ms[0] - kSlack_ms;
    if (leaps(samples.distance_m[i] - before, before_ms, samples.time_ms[i])) return false;
    last = i;
  }
  return true;
}

bool distance_agrees(const Recording& recording) {
  double sum = 0;
  for (const Slots& session : recording.sessions) sum += session[total::distance];
  const std::vector<double>& column = recording.samples.distance_m;
  if (std::isnan(sum) || column.empty() || std::isnan(column.back())) return false;
  return std::abs(column.back() - sum) <= kTotalSlack_m + kTotalSlack * sum;
}

bool heart_rate_agrees(const Recording& recording) {
  const double highest = recording.sessions.front()[total::max_heart_rate];
  const double average = recording.sessions.front()[total::average_heart_rate];
  if (recording.samples.heart_rate_bpm.empty() || recording.sessions.size() != 1) return true;
  double sum = 0;
  double count = 0;
  for (const float bpm : recording.samples.heart_rate_bpm) {
    if (std::isnan(bpm)) continue;
    if (bpm > highest) return false;
    sum += bpm;
    count += 1;
  }
  return std::isnan(average) || count == 0 || std::abs(sum / count - average) <= kHeartRateSlack_bpm;
}

}  // namespace

bool agrees_with_itself(const Recording& recording) {
  return is_complete(recording) && times_agree(recording) && path_is_smooth(recording.samples) &&
         distance_agrees(recording) && heart_rate_agrees(recording);
}

}  // namespace ekiden::activity::fit
