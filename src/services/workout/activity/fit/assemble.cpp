#include "services/workout/activity/fit/assemble.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "services/workout/activity/fit/samples.hpp"
#include "services/workout/activity/fit/sports.hpp"
#include "services/workout/activity/fit/stable_sort.hpp"
#include "services/workout/activity/fit/totals.hpp"

namespace ekiden::activity::fit {
namespace {

constexpr std::size_t kWarningsMax = 16;

/// One session and where in time it begins.
struct Leg {
  Slots totals;
  std::int64_t start_ms;
};

Slots absent_slots() {
  Slots slots;
  slots.fill(kAbsentValue);
  return slots;
}

bool same_session(const Leg& a, const Leg& b) {
  return a.start_ms == b.start_ms && a.totals[total::sport] == b.totals[total::sport] &&
         a.totals[total::sub_sport] == b.totals[total::sub_sport];
}

/// The sessions by their start; of a session that was written twice the later one counts.
std::vector<Leg> find_legs(const Recording& recording) {
  std::vector<Leg> legs;
  legs.reserve(recording.sessions.size());
  for (const Slots& session : recording.sessions) legs.push_back({session, start_of(session)});
  stable_sort_by(legs, &Leg::start_ms);
  std::vector<Leg> out;
  for (const Leg& leg : legs) {
    if (!out.empty() && same_session(out.back(), leg)) out.pop_back();
    out.push_back(leg);
  }
  if (out.empty()) out.push_back({absent_slots(), kNoTime});
  return out;
}

/// The leg that a time belongs to: the last that has begun, else the first.
std::size_t leg_of(const std::vector<Leg>& legs, std::int64_t time_ms) {
  const auto next = std::ranges::upper_bound(legs, time_ms, {}, &Leg::start_ms);
  return next == legs.begin() ? 0 : static_cast<std::size_t>(next - legs.begin()) - 1;
}

std::vector<std::vector<std::uint32_t>> rows_by_leg(const Samples& samples, const std::vector<Leg>& legs) {
  std::vector<std::vector<std::uint32_t>> rows(legs.size());
  for (std::uint32_t row = 0; row < samples.size(); ++row)
    rows[leg_of(legs, samples.time_ms[row])].push_back(row);
  return rows;
}

double last_distance(const Samples& samples) {
  const auto last = std::find_if(samples.distance_m.rbegin(), samples.distance_m.rend(),
                                 [](double distance) { return !std::isnan(distance); });
  return last == samples.distance_m.rend() ? kAbsentPosition : *last;
}

/// In a multisport set the distance usually runs through all legs: each leg's own begins where the one before
/// ended.
void rebase_distance(double ended_at, Samples& samples) {
  const auto first =
      std::ranges::find_if(samples.distance_m, [](double distance) { return !std::isnan(distance); });
  if (first == samples.distance_m.end() || !(*first >= ended_at)) return;
  for (double& distance : samples.distance_m) distance -= ended_at;
}

class Warnings {
 public:
  void add(std::uint64_t count, std::string_view what) {
    if (count == 0 || list_.size() >= kWarningsMax) return;
    list_.push_back(std::to_string(count) + " " + std::string(what));
  }
  void add(std::string_view what) {
    if (list_.size() < kWarningsMax) list_.emplace_back(what);
  }
  std::vector<std::string> take() { return std::move(list_); }

 private:
  std::vector<std::string> list_;
};

void warn_of_recording(const Recording& recording, Warnings& warnings) {
  warnings.add(recording.records_without_time, "records without a time were left out.");
  warnings.add(recording.records_before_clock, "records from before the clock was set were left out.");
  warnings.add(recording.compressed_without_time, "messages whose time counts from nothing were left out.");
  warnings.add(recording.bad_positions, "positions beyond 90 or 180 degrees were left out.");
  warnings.add(recording.undescribed_developer_fields,
               "developer fields without a description were left out.");
}

void warn_of_drops(const Drops& drops, Warnings& warnings) {
  warnings.add(drops.out_of_order, "samples were left out because their time was not after the one before.");
  warnings.add(drops.falling, "samples were left out because their distance fell.");
  warnings.add(drops.falling_values, "distances were left out because they fell.");
}

Slots sport_source(const Recording& recording, const Slots& totals) {
  Slots slots = totals;
  if (!std::isnan(slots[total::sport])) return slots;
  if (recording.sport) {
    slots[total::sport] = (*recording.sport)[sport_message::sport];
    slots[total::sub_sport] = (*recording.sport)[sport_message::sub_sport];
  } else if (!recording.laps.empty()) {
    slots[total::sport] = recording.laps.front()[total::sport];
    slots[total::sub_sport] = recording.laps.front()[total::sub_sport];
  }
  return slots;
}

void set_sport(const Recording& recording, const Slots& totals, Activity& activity) {
  const Slots source = sport_source(recording, totals);
  const SportReading reading = read_sport(source[total::sport], source[total::sub_sport]);
  activity.sport = reading.sport;
  activity.sport_is_known = reading.is_known;
  activity.indoor = reading.is_indoor;
  if (reading.is_transition) activity.name = "Transition";
}

void set_identity(const Recording& recording, const Leg& leg, Activity& activity) {
  if (recording.activity) activity.utc_offset = read_utc_offset(*recording.activity);
  if (recording.file_id) activity.device_id = make_device_id(*recording.file_id, leg.totals);
  if (activity.samples.size() > 0) {
    activity.clock_is_relative = is_relative(activity.samples.time_ms.front());
  } else {
    activity.clock_is_relative = leg.start_ms != kNoTime && is_relative(leg.start_ms);
  }
  if (activity.recorded.start_ms && is_relative(*activity.recorded.start_ms))
    activity.recorded.start_ms.reset();
}

bool holds_something(const Activity& activity) {
  const Recorded& recorded = activity.recorded;
  if (activity.samples.size() > 0) return true;
  return (recorded.start_ms || activity.clock_is_relative) &&
         (recorded.elapsed_s.value_or(0) > 0 || recorded.timer_s.value_or(0) > 0);
}

/// Laps and lengths of the leg.
void add_laps(const Recording& recording, const std::vector<Leg>& legs, std::size_t leg, Activity& activity) {
  for (const Slots& lap : recording.laps) {
    const std::int64_t start_ms = start_of(lap);
    if (legs.size() == 1 || leg_of(legs, start_ms) == leg) activity.laps.push_back(read_lap(lap));
  }
}

std::vector<Length> lengths_of(const Recording& recording, const std::vector<Leg>& legs, std::size_t leg) {
  std::vector<Length> lengths;
  for (const Length& length : recording.lengths) {
    const std::int64_t start_ms = to_ms(std::isnan(length.start_s) ? length.end_s : length.start_s);
    if (legs.size() == 1 || leg_of(legs, start_ms) == leg) lengths.push_back(length);
  }
  return lengths;
}

}  // namespace

std::vector<Activity> assemble(Recording&& recording) {
  const std::vector<Leg> legs = find_legs(recording);
  if (recording.samples.size() == 0 && !recording.lengths.empty()) {
    recording.samples = samples_of_lengths(recording.lengths, legs.front().totals[total::pool_length]);
    recording.records_without_time = 0;
  }
  stable_sort_by(recording.timer_events, &TimerEvent::time_ms);
  const bool as_it_is = legs.size() == 1 && recording.in_order;
  std::vector<std::vector<std::uint32_t>> rows(legs.size());
  if (!as_it_is) rows = rows_by_leg(recording.samples, legs);

  std::vector<Activity> activities;
  double ended_at = 0;
  for (std::size_t leg = 0; leg < legs.size(); ++leg) {
    Activity activity;
    Drops drops;
    if (as_it_is) {
      activity.samples = std::move(recording.samples);
    } else {
      activity.samples = gather(recording.samples, keep_in_order(recording.samples, rows[leg], drops));
    }
    const double ends_at = last_distance(activity.samples);
    if (leg > 0) rebase_distance(ended_at, activity.samples);
    if (!std::isnan(ends_at)) ended_at = ends_at;

    Warnings warnings;
    warnings.add(blank_null_island(activity.samples), "positions at 0/0 were left out.");
    if (leg == 0) warn_of_recording(recording, warnings);
    warn_of_drops(drops, warnings);
    activity.segment_starts = find_segments(activity.samples.time_ms, recording.timer_events);
    add_laps(recording, legs, leg, activity);
    activity.recorded = read_recorded(legs[leg].totals, lengths_of(recording, legs, leg));
    set_sport(recording, legs[leg].totals, activity);
    set_identity(recording, legs[leg], activity);
    if (activity.clock_is_relative)
      warnings.add("The device did not know the date: its times count from its start.");
    activity.warnings = warnings.take();
    if (holds_something(activity)) activities.push_back(std::move(activity));
  }
  return activities;
}

}  // namespace ekiden::activity::fit
