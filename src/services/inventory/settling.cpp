#include "services/inventory/settling.hpp"

#include <set>
#include <utility>

#include "events/codec.hpp"
#include "services/inventory/domain/wear.hpp"
#include "services/inventory/store/defaults.hpp"
#include "services/inventory/store/ledger.hpp"
#include "services/inventory/store/mountings.hpp"
#include "services/inventory/store/people.hpp"

namespace ekiden::inventory {

namespace {

template <class T>
std::vector<T> to_vector(const std::set<T>& set) {
  return {set.begin(), set.end()};
}

/// The events of one transaction on their way into the ledger.
class Batch {
 public:
  explicit Batch(sql::Tx& tx) : tx_(tx) {}

  Result<void> read(const std::vector<const delivery::Envelope*>& events);
  Result<void> fold();
  Result<void> load_gear();
  Result<void> write_ledger();

  struct Change {
    Use delta;
    std::string traceparent;
  };
  /// What each piece of gear gets or loses, in order of id: whoever updates several takes the same order.
  const std::map<GearId, Change>& changes() const { return changes_; }
  Gear* gear(GearId gear_id) {
    const auto found = known_.gear.find(gear_id);
    return found == known_.gear.end() ? nullptr : &found->second;
  }

 private:
  Result<void> load_pieces(const std::set<GearId>& wanted);
  void settle(WorkoutId workout_id, std::map<GearId, Entry> before);
  void change(const Entry& entry, bool gives) {
    Change& change = changes_[entry.gear_id];
    gives ? change.delta += entry.use() : change.delta -= entry.use();
    change.traceparent = traceparents_[entry.workout_id];
  }

  sql::Tx& tx_;
  std::vector<WorkoutEvent> events_;
  std::map<WorkoutId, std::string> traceparents_;
  std::map<WorkoutId, Workout> kept_;                 ///< before
  std::map<WorkoutId, std::optional<Workout>> next_;  ///< after; nullopt: gone
  std::vector<Entry> before_;
  KnownGear known_;
  std::vector<Entry> puts_;
  std::vector<Entry> deletions_;
  std::map<GearId, Change> changes_;
};

Result<void> Batch::read(const std::vector<const delivery::Envelope*>& events) {
  std::set<UserId> people;
  for (const delivery::Envelope* envelope : events) {
    EKIDEN_TRY(WorkoutEvent event, read_event(*envelope));
    people.insert(event.user_id);
    traceparents_[event.workout_id] = envelope->traceparent;
    events_.push_back(std::move(event));
  }
  EKIDEN_TRY(const std::set<UserId> erased, erased_among(tx_, to_vector(people)));
  std::erase_if(events_, [&](const WorkoutEvent& event) { return erased.contains(event.user_id); });
  return {};
}

/// What the workouts are after the events, with the defaults that they count for.
Result<void> Batch::fold() {
  std::set<WorkoutId> workout_ids;
  std::set<UserId> undecided;
  for (const WorkoutEvent& event : events_) {
    workout_ids.insert(event.workout_id);
    if (event.state && event.state->named.empty()) undecided.insert(event.user_id);
  }
  EKIDEN_TRY(kept_, find_workouts(tx_, to_vector(workout_ids)));
  EKIDEN_TRY(auto defaults, find_defaults(tx_, to_vector(undecided)));
  for (WorkoutEvent& event : events_) {
    if (event.state && event.state->named.empty()) {
      const auto kept = kept_.find(event.workout_id);
      const auto earlier = next_.find(event.workout_id);
      const Workout* before = kept == kept_.end() ? nullptr : &kept->second;
      if (earlier != next_.end()) before = earlier->second ? &*earlier->second : nullptr;
      const bool keeps = before != nullptr && keeps_defaults(*before, *event.state);
      event.state->defaults = keeps ? before->defaults : defaults[event.user_id][event.state->sport];
    }
    next_[event.workout_id] = std::move(event.state);
  }
  return {};
}

Result<void> Batch::load_pieces(const std::set<GearId>& wanted) {
  EKIDEN_TRY(std::vector<Gear> found, find_gear(tx_, to_vector(wanted)));
  for (Gear& gear : found) known_.gear.emplace(gear.gear_id, std::move(gear));
  return {};
}

/// Every piece that loses or gets something: what is named, what had something, and the parts of bikes among
/// them.
Result<void> Batch::load_gear() {
  std::vector<WorkoutId> kept;
  kept.reserve(kept_.size());
  for (const auto& [workout_id, workout] : kept_) kept.push_back(workout_id);
  EKIDEN_TRY(before_, find_entries(tx_, kept));
  std::set<GearId> wanted;
  for (const Entry& entry : before_) wanted.insert(entry.gear_id);
  for (const auto& [workout_id, workout] : next_) {
    if (!workout) continue;
    for (const GearId gear_id : asked_for(*workout)) wanted.insert(gear_id);
  }
  EKIDEN_CHECK(load_pieces(wanted));
  std::vector<GearId> bikes;
  for (const auto& [gear_id, gear] : known_.gear) {
    if (gear.kind == Kind::bike) bikes.push_back(gear_id);
  }
  EKIDEN_TRY(known_.on_bike, mountings_on(tx_, bikes));
  std::set<GearId> parts;
  for (const auto& [bike_id, mountings] : known_.on_bike) {
    for (const Mounting& mounting : mountings) {
      if (!known_.gear.contains(mounting.part_id)) parts.insert(mounting.part_id);
    }
  }
  return load_pieces(parts);
}

void Batch::settle(WorkoutId workout_id, std::map<GearId, Entry> before) {
  const std::optional<Workout>& workout = next_.at(workout_id);
  std::map<GearId, Entry> after;
  if (workout) after = entries_of(*workout, known_);
  for (const auto& [gear_id, entry] : after) {
    const auto old = before.find(gear_id);
    if (old == before.end()) {
      change(entry, true);
      puts_.push_back(entry);
      continue;
    }
    if (old->second != entry) {
      change(old->second, false);
      change(entry, true);
      puts_.push_back(entry);
    }
    before.erase(old);
  }
  for (const auto& [gear_id, entry] : before) {
    change(entry, false);
    deletions_.push_back(entry);
  }
}

Result<void> Batch::write_ledger() {
  std::map<WorkoutId, std::map<GearId, Entry>> before;
  for (Entry& entry : before_) before[entry.workout_id].emplace(entry.gear_id, std::move(entry));
  std::vector<Workout> living;
  std::vector<WorkoutId> gone;
  for (const auto& [workout_id, workout] : next_) {
    settle(workout_id, std::move(before[workout_id]));
    const auto kept = kept_.find(workout_id);
    if (!workout && kept != kept_.end()) gone.push_back(workout_id);
    if (workout && (kept == kept_.end() || kept->second != *workout)) living.push_back(*workout);
  }
  EKIDEN_CHECK(put_workouts(tx_, living));
  EKIDEN_CHECK(delete_workouts(tx_, gone));
  EKIDEN_CHECK(put_entries(tx_, puts_));
  return delete_entries(tx_, deletions_);
}

}  // namespace

Result<void> Settler::apply(sql::Tx& tx, const std::vector<const delivery::Envelope*>& events) const {
  Batch batch(tx);
  EKIDEN_CHECK(batch.read(events));
  EKIDEN_CHECK(batch.fold());
  EKIDEN_CHECK(batch.load_gear());
  EKIDEN_CHECK(batch.write_ledger());
  for (const auto& [gear_id, change] : batch.changes()) {
    Gear* const gear = batch.gear(gear_id);
    if (gear == nullptr || change.delta == Use{}) continue;
    gear->use += change.delta;
    EKIDEN_CHECK(write_use(tx, *gear, change.traceparent));
  }
  return {};
}

Result<void> Settler::recount_part(sql::Tx& tx, GearId part_id, const std::string& traceparent) const {
  EKIDEN_CHECK(inventory::recount_part(tx, part_id));
  EKIDEN_TRY(const Use sum, sum_of(tx, part_id));
  EKIDEN_TRY(std::optional<Gear> part, find_gear(tx, part_id));
  if (!part || part->use == sum) return {};
  part->use = sum;
  return write_use(tx, *part, traceparent);
}

Result<void> Settler::write_edit(sql::Tx& tx, const Gear& seen, Gear& gear,
                                 const std::string& traceparent) const {
  const bool is_other_life = gear.life != seen.life || gear.start != seen.start;
  const std::vector<std::int64_t> shares = is_other_life ? tell_after_edit(gear) : tell_after_use(gear);
  gear.changed_at = clock_->now();
  EKIDEN_CHECK(update_gear(tx, gear, metrics_));
  return tell(tx, gear, shares, traceparent);
}

Result<void> Settler::tell_new(sql::Tx& tx, Gear& gear, const std::string& traceparent) const {
  return tell(tx, gear, tell_after_use(gear), traceparent);
}

Result<void> Settler::write_use(sql::Tx& tx, Gear& gear, const std::string& traceparent) const {
  const std::vector<std::int64_t> shares = tell_after_use(gear);
  gear.changed_at = clock_->now();
  EKIDEN_CHECK(update_gear(tx, gear, metrics_));
  return tell(tx, gear, shares, traceparent);
}

Result<void> Settler::tell(sql::Tx& tx, const Gear& gear, const std::vector<std::int64_t>& shares,
                           const std::string& traceparent) const {
  if (shares.empty()) return {};
  std::vector<delivery::Envelope> events;
  const Use total = gear.total();
  for (const std::int64_t share : shares) {
    const events::GearWorn worn{.gear_id = gear.gear_id,
                                .user_id = gear.user_id,
                                .kind = std::string(to_string(gear.kind)),
                                .name = gear.name,
                                .share_percent = share,
                                .distance_m = total.distance_m,
                                .moving_ms = total.moving_ms,
                                .life_distance_m = gear.life.distance_m,
                                .life_moving_ms = gear.life.moving_ms};
    events.push_back(events::encode(worn, traceparent));
  }
  return outbox_->append_all(tx, std::move(events));
}

}  // namespace ekiden::inventory
