#include "delivery/work_executor.hpp"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include "delivery/dead_letter_message.hpp"
#include "delivery/group_store.hpp"

namespace ekiden::delivery {
namespace {

bool takes_type(const Subscription& subscription, std::string_view type) {
  return std::ranges::find(subscription.types, type) != subscription.types.end();
}

/// The handler's view of the transaction. It remembers the first error, so that a database that fails is
/// not held against the event.
class WatchedTx final : public sql::Tx {
 public:
  explicit WatchedTx(sql::Tx& tx) : tx_(tx) {}
  Result<sql::Rows> query(std::string_view statement, sql::Params params) override {
    return watch(tx_.query(statement, std::move(params)));
  }
  Result<std::int64_t> execute(std::string_view statement, sql::Params params) override {
    return watch(tx_.execute(statement, std::move(params)));
  }
  Result<std::int64_t> execute_batch(std::string_view statement, std::vector<sql::Params> sets) override {
    return watch(tx_.execute_batch(statement, std::move(sets)));
  }
  void after_commit(std::move_only_function<void()> action) override { tx_.after_commit(std::move(action)); }
  bool storage_failed() const { return storage_failed_; }

 private:
  template <class T>
  Result<T> watch(Result<T> result) {
    if (!result && is_retryable(result.error().code())) storage_failed_ = true;
    return result;
  }
  sql::Tx& tx_;
  bool storage_failed_ = false;
};

template <class Apply, class Events>
Result<void> call(const Apply& apply, sql::Tx& tx, const Events& events) {
  try {
    return apply(tx, events);
  } catch (const std::exception& fault) {
    return Error{Errc::internal, "handler-threw", std::string("the handler threw: ") + fault.what()};
  } catch (...) {
    return Error{Errc::internal, "handler-threw", "the handler threw"};
  }
}

/// One run of a Work's transaction. The database may run it again: a new Pass begins from nothing.
class Pass {
 public:
  Pass(const Subscription& subscription, sql::Tx& tx, Timestamp now, WorkResult& result)
      : subscription_(subscription),
        tx_(tx),
        now_(now),
        store_(tx, subscription.group, now),
        result_(result) {}

  Result<void> run(const Work& work);
  bool has_handler_failed() const { return handler_failed_; }

 private:
  struct Decision {
    Verdict verdict = Verdict::run;
    bool is_known = false;  ///< the inbox has a row for it already
  };

  Result<void> take(const std::vector<ItemPtr>& items);
  Result<void> finish(const std::vector<ItemPtr>& items);
  Result<void> kill(const Item& item);
  Result<void> release(const Item& item);
  Result<void> sweep(const std::vector<log::TopicPartition>& partitions);

  Result<Decision> decide(const Arrived& arrived, std::optional<InboxState> state);
  Result<Verdict> decide_sequence(const Arrived& arrived, bool is_known);
  enum class Turn : std::uint8_t { now, later, past };
  Result<Turn> turn_of(const Arrived& arrived);
  Result<void> discard(const Arrived& arrived);
  Result<void> note(const ArrivedPtr& arrived, bool is_known);
  Result<void> call_handler(std::size_t index, const ArrivedPtr& arrived);
  Result<void> call_together();
  Result<void> judge(Result<void> outcome, bool storage_failed, std::size_t index, const ArrivedPtr& arrived);
  Result<std::map<EventId, InboxState>> load(const std::vector<ItemPtr>& items);
  Result<void> load_sequences(const std::vector<ItemPtr>& items);
  Result<std::optional<std::int64_t>> last_sequence(const std::string& subject);
  /// Written at the end, all in one go. @param sequence nullopt: nothing more comes of the subject
  void keep_sequence(const std::string& subject, std::optional<std::int64_t> sequence) {
    sequences_[subject] = sequence;
    moved_[subject] = sequence;
  }
  bool counts(const Arrived& arrived) const {
    return subscription_.in_sequence && arrived.event && arrived.event->sequence > 0;
  }
  bool is_batched() const { return std::holds_alternative<Batched>(subscription_.apply); }
  void look_at(const Arrived& arrived) {
    result_.release.emplace_back(arrived.record.at, arrived.record.key);
  }

  const Subscription& subscription_;
  sql::Tx& tx_;
  Timestamp now_;
  GroupStore store_;
  WorkResult& result_;
  GroupStore::Waiting waiting_;
  std::map<std::string, std::optional<std::int64_t>> sequences_;  ///< of subjects that were looked at
  std::map<std::string, std::optional<std::int64_t>> moved_;      ///< those of them that are to be written
  std::vector<EventId> applied_;                                  ///< to be written to the inbox in one go
  std::set<EventId> seen_;
  std::vector<std::pair<std::size_t, ArrivedPtr>> handled_;  ///< what `apply` has taken, in order
  bool handler_failed_ = false;
};

Result<std::map<EventId, InboxState>> Pass::load(const std::vector<ItemPtr>& items) {
  std::vector<EventId> ids;
  ids.reserve(items.size());
  for (const ItemPtr& item : items) ids.push_back(item->arrived->id);
  return store_.states(ids);
}

Result<void> Pass::load_sequences(const std::vector<ItemPtr>& items) {
  if (!subscription_.in_sequence) return {};
  std::vector<std::string> subjects;
  for (const ItemPtr& item : items) {
    if (counts(*item->arrived)) subjects.push_back(item->arrived->event->subject);
  }
  EKIDEN_TRY(sequences_, store_.last_sequences(subjects));
  return {};
}

Result<std::optional<std::int64_t>> Pass::last_sequence(const std::string& subject) {
  const auto known = sequences_.find(subject);
  if (known != sequences_.end()) return known->second;
  EKIDEN_TRY(const auto last, store_.last_sequence(subject));
  sequences_.emplace(subject, last);
  return last;
}

Result<void> Pass::run(const Work& work) {
  EKIDEN_TRY(waiting_, store_.waiting());
  switch (work.kind) {
    case Work::Kind::apply:
    case Work::Kind::admit:
      EKIDEN_CHECK(take(work.items));
      break;
    case Work::Kind::finish:
      EKIDEN_CHECK(finish(work.items));
      break;
    case Work::Kind::kill:
      EKIDEN_CHECK(kill(*work.items.at(0)));
      break;
    case Work::Kind::release:
      EKIDEN_CHECK(release(*work.items.at(0)));
      break;
    case Work::Kind::sweep:
      EKIDEN_CHECK(sweep(work.partitions));
      break;
  }
  EKIDEN_CHECK(call_together());
  EKIDEN_CHECK(store_.write_sequences(moved_));
  return store_.insert_applied(applied_);
}

Result<void> Pass::call_handler(std::size_t index, const ArrivedPtr& arrived) {
  WatchedTx watched(tx_);
  handled_.emplace_back(index, arrived);
  auto outcome = call(std::get<Batched>(subscription_.apply).apply, watched, *arrived->event);
  return judge(std::move(outcome), watched.storage_failed(), index, arrived);
}

Result<void> Pass::call_together() {
  const auto* batched = std::get_if<Batched>(&subscription_.apply);
  if (batched == nullptr || !batched->together || handled_.empty()) return {};
  std::vector<const Envelope*> events;
  events.reserve(handled_.size());
  for (const auto& [index, arrived] : handled_) events.push_back(&*arrived->event);
  WatchedTx watched(tx_);
  auto outcome = call(batched->together, watched, events);
  const auto& [index, last] = handled_.back();
  return judge(std::move(outcome), watched.storage_failed(), index, last);
}

/// Says whose fault an error of the handler is, unless it is the database's.
Result<void> Pass::judge(Result<void> outcome, bool storage_failed, std::size_t index,
                         const ArrivedPtr& arrived) {
  if (outcome || storage_failed) return outcome;
  handler_failed_ = true;
  result_.failed = index;
  result_.failed_event = arrived;
  return outcome;
}

/// Batched: claims and applies. Keyed: claims nothing yet, and says what is to be run.
Result<void> Pass::take(const std::vector<ItemPtr>& items) {
  EKIDEN_TRY(const auto states, load(items));
  EKIDEN_CHECK(load_sequences(items));
  for (std::size_t i = 0; i < items.size(); ++i) {
    const ArrivedPtr& arrived = items[i]->arrived;
    // Another group's replay has the same id as ours, which may stand behind it: it is not what has been
    // seen.
    if (arrived->is_others || !seen_.insert(arrived->id).second) {
      result_.items.push_back({Verdict::duplicate});
      continue;
    }
    const auto state = states.find(arrived->id);
    EKIDEN_TRY(Decision decision,
               decide(*arrived, state == states.end() ? std::nullopt : std::optional(state->second)));
    if (decision.verdict == Verdict::run && !takes_type(subscription_, arrived->event->type)) {
      EKIDEN_CHECK(note(arrived, decision.is_known));
      result_.fresh.pop_back();
      decision.verdict = Verdict::passed;
    } else if (decision.verdict == Verdict::run && is_batched()) {
      EKIDEN_CHECK(call_handler(i, arrived));
      EKIDEN_CHECK(note(arrived, decision.is_known));
      decision.verdict = Verdict::applied;
    }
    result_.items.push_back({decision.verdict});
  }
  return {};
}

Result<Pass::Decision> Pass::decide(const Arrived& arrived, std::optional<InboxState> state) {
  const bool is_known = state.has_value();
  if (is_known && (*state != InboxState::dead || !arrived.is_replay))
    return Decision{Verdict::duplicate, is_known};
  if (arrived.is_discard) {
    if (!is_known) return Decision{Verdict::passed, is_known};
    EKIDEN_CHECK(discard(arrived));
    return Decision{Verdict::passed, is_known};
  }
  if (!is_known && waiting_.any_blocked) {
    EKIDEN_TRY(const bool is_blocked, store_.is_blocked(arrived.record.at.topic, arrived.record.key));
    if (is_blocked) {
      EKIDEN_CHECK(store_.park(arrived, ParkReason::blocked, false));
      return Decision{Verdict::parked, is_known};
    }
  }
  if (!counts(arrived)) return Decision{Verdict::run, is_known};
  EKIDEN_TRY(const Verdict verdict, decide_sequence(arrived, is_known));
  return Decision{verdict, is_known};
}

/// Whether it is the event's turn among those of its subject.
Result<Pass::Turn> Pass::turn_of(const Arrived& arrived) {
  const std::string& subject = arrived.event->subject;
  const std::int64_t sequence = arrived.event->sequence;
  EKIDEN_TRY(const std::optional<std::int64_t> last, last_sequence(subject));
  if (sequence == last.value_or(0) + 1) return Turn::now;
  if (sequence <= last.value_or(0)) return Turn::past;
  if (last || now_ - arrived.record.appended_at < GroupStore::kGapPatience) return Turn::later;
  EKIDEN_TRY(const bool is_second, store_.is_parked_before(subject, sequence));
  if (is_second) return Turn::later;
  ++result_.late_starts;
  return Turn::now;
}

Result<Verdict> Pass::decide_sequence(const Arrived& arrived, bool is_known) {
  EKIDEN_TRY(const Turn turn, turn_of(arrived));
  if (turn == Turn::now) return Verdict::run;
  if (turn == Turn::later) {
    EKIDEN_CHECK(store_.park(arrived, ParkReason::gap, is_known));
    waiting_.any_parked = true;
    return Verdict::parked;
  }
  if (!is_known) {
    applied_.push_back(arrived.id);
    return Verdict::duplicate;
  }
  EKIDEN_CHECK(store_.settle(arrived.id, InboxState::applied));
  EKIDEN_TRY(const bool drains, store_.start_drain(arrived.record.at.topic, arrived.record.key, arrived.id));
  if (drains) look_at(arrived);
  return Verdict::duplicate;
}

Result<void> Pass::discard(const Arrived& arrived) {
  EKIDEN_CHECK(store_.settle(arrived.id, InboxState::discarded));
  EKIDEN_TRY(const bool drains, store_.start_drain(arrived.record.at.topic, arrived.record.key, arrived.id));
  bool goes_on = drains;
  if (counts(arrived)) {
    EKIDEN_TRY(const Turn turn, turn_of(arrived));
    if (turn == Turn::now) {
      keep_sequence(arrived.event->subject, arrived.event->sequence);
      goes_on = true;
    }
  }
  if (goes_on) look_at(arrived);
  return {};
}

/// Writes down that the event's effect is in this transaction.
Result<void> Pass::note(const ArrivedPtr& arrived, bool is_known) {
  bool goes_on = false;
  if (is_known) {
    EKIDEN_CHECK(store_.settle(arrived->id, InboxState::applied));
    EKIDEN_TRY(goes_on, store_.start_drain(arrived->record.at.topic, arrived->record.key, arrived->id));
  } else {
    applied_.push_back(arrived->id);
  }
  if (counts(*arrived)) {
    const bool is_last =
        std::ranges::find(subscription_.last_types, arrived->event->type) != subscription_.last_types.end();
    keep_sequence(arrived->event->subject, is_last ? std::nullopt : std::optional(arrived->event->sequence));
    if (waiting_.any_parked && !goes_on) {
      EKIDEN_TRY(goes_on, store_.closes_gap(arrived->event->subject, arrived->event->sequence));
    }
  }
  if (goes_on) look_at(*arrived);
  result_.fresh.push_back(arrived);
  return {};
}

Result<void> Pass::finish(const std::vector<ItemPtr>& items) {
  EKIDEN_TRY(const auto states, load(items));
  for (const ItemPtr& item : items) {
    const auto state = states.find(item->arrived->id);
    if (item->origin == Item::Origin::parked) EKIDEN_CHECK(store_.unpark(item->arrived->id));
    const bool is_known = state != states.end();
    const bool is_done =
        is_known && (state->second == InboxState::applied || state->second == InboxState::discarded);
    if (!is_done && seen_.insert(item->arrived->id).second) {
      EKIDEN_CHECK(note(item->arrived, is_known));
      result_.items.push_back({Verdict::applied, item->arrived});
    } else {
      result_.items.push_back({Verdict::duplicate, item->arrived});
    }
  }
  return {};
}

Result<void> Pass::release(const Item& item) {
  EKIDEN_TRY(const auto next, store_.next_parked(item.at.topic, item.key));
  if (!next) {
    EKIDEN_CHECK(store_.end_drain(item.at.topic, item.key));
    result_.items.push_back({Verdict::nothing});
    return {};
  }
  const ArrivedPtr& arrived = next->arrived;
  if (!arrived->event) {
    handler_failed_ = true;
    result_.failed_event = arrived;
    return arrived->event.error();
  }
  if (counts(*arrived)) {
    EKIDEN_TRY(const Turn turn, turn_of(*arrived));
    if (turn == Turn::later) {
      EKIDEN_CHECK(store_.park_for_gap(arrived->id));
      result_.items.push_back({Verdict::parked, arrived});
      return {};
    }
    if (turn == Turn::past) {
      EKIDEN_CHECK(store_.settle(arrived->id, InboxState::applied));
      EKIDEN_CHECK(store_.unpark(arrived->id));
      result_.items.push_back({Verdict::duplicate, arrived});
      return {};
    }
  }
  const bool takes = takes_type(subscription_, arrived->event->type);
  if (takes && !is_batched()) {
    result_.items.push_back({Verdict::run, arrived});
    return {};
  }
  if (takes) EKIDEN_CHECK(call_handler(0, arrived));
  EKIDEN_CHECK(store_.unpark(arrived->id));
  EKIDEN_CHECK(note(arrived, true));
  if (!takes) result_.fresh.pop_back();
  result_.items.push_back({takes ? Verdict::applied : Verdict::passed, arrived});
  return {};
}

Result<void> Pass::kill(const Item& item) {
  const Arrived& arrived = *item.arrived;
  const bool was_parked = item.origin == Item::Origin::parked;
  EKIDEN_TRY(const auto states, store_.states({arrived.id}));
  const auto state = states.find(arrived.id);
  const bool is_settled =
      state != states.end() && !was_parked && (state->second != InboxState::dead || !arrived.is_replay);
  if (is_settled) {
    result_.items.push_back({Verdict::duplicate, item.arrived});
    return {};
  }
  // Only one dead letter of a key is waited for: an unreadable record behind it takes its turn.
  if (state == states.end() && waiting_.any_blocked) {
    EKIDEN_TRY(const bool is_blocked, store_.is_blocked(item.at.topic, item.key));
    if (is_blocked) {
      EKIDEN_CHECK(store_.park(arrived, ParkReason::blocked, false));
      result_.items.push_back({Verdict::parked, item.arrived});
      return {};
    }
  }
  if (was_parked) EKIDEN_CHECK(store_.unpark(arrived.id));
  EKIDEN_TRY(const std::int64_t deaths, store_.die(arrived.id));
  // What comes behind it waits for its replay, however old it grows: the subject has been met.
  if (counts(arrived)) EKIDEN_CHECK(store_.meet_subject(arrived.event->subject, arrived.event->sequence - 1));
  if (subscription_.after_death == AfterDeath::wait)
    EKIDEN_CHECK(store_.block(item.at, item.key, arrived.id));
  const Death death{.group = std::string(subscription_.group),
                    .error = *item.death,
                    .attempts = std::max(item.failures, 1),
                    .deaths = deaths,
                    .at = now_};
  EKIDEN_CHECK(insert_rows(tx_, {dead_letter(arrived, death)}, now_));
  result_.items.push_back({Verdict::dead, item.arrived});
  return {};
}

Result<void> Pass::sweep(const std::vector<log::TopicPartition>& partitions) {
  for (const log::TopicPartition& at : partitions) {
    EKIDEN_TRY(const auto keys, store_.releasable(at));
    for (const std::string& key : keys) result_.release.emplace_back(at, key);
  }
  return {};
}

}  // namespace

bool is_handled(const Subscription& subscription, const Arrived& arrived) {
  if (!arrived.event || arrived.is_replay) return true;
  if (subscription.in_sequence && arrived.event->sequence > 0) return true;
  return takes_type(subscription, arrived.event->type);
}

WorkResult WorkExecutor::execute(const Work& work) {
  WorkResult result;
  bool handler_failed = false;
  const auto outcome = database_.transact({.access = sql::Access::write}, [&](sql::Tx& tx) -> Result<void> {
    result = WorkResult{};
    Pass pass(subscription_, tx, clock_.now(), result);
    auto done = pass.run(work);
    handler_failed = pass.has_handler_failed();
    if (done && work.kind == Work::Kind::kill && wake_relay_) tx.after_commit(wake_relay_);
    return done;
  });
  if (outcome) return result;
  result.outcome = handler_failed ? WorkResult::Outcome::failed : WorkResult::Outcome::storage;
  result.error = outcome.error();
  return result;
}

}  // namespace ekiden::delivery
