#include "services/gamification/consumers/users.hpp"

#include "events/codec.hpp"
#include "events/users.hpp"
#include "services/gamification/store/ledger.hpp"

namespace ekiden::gamification {

namespace {

Result<events::UserState> read_state(const delivery::Envelope& envelope) {
  if (envelope.type == events::UserRegistered::kType) {
    EKIDEN_TRY(events::UserRegistered event, events::decode<events::UserRegistered>(envelope));
    return static_cast<events::UserState>(std::move(event));
  }
  EKIDEN_TRY(events::UserChanged event, events::decode<events::UserChanged>(envelope));
  return static_cast<events::UserState>(std::move(event));
}

Result<void> apply(sql::Tx& tx, const delivery::Envelope& envelope, Projection& projection,
                   const Clock& clock) {
  if (envelope.type == events::UserDeleted::kType) {
    EKIDEN_TRY(const auto event, events::decode<events::UserDeleted>(envelope));
    EKIDEN_TRY(auto changes, erase_member(tx, event.user_id, clock.now()));
    projection.note(envelope.id, std::move(changes));
    return {};
  }
  EKIDEN_TRY(const events::UserState state, read_state(envelope));
  EKIDEN_TRY(const bool erased, is_erased(tx, state.user_id));
  if (erased) return {};
  return put_person(tx, state.user_id, state.display_name, state.version);
}

/// The transaction is durable: what is shown follows it.
Result<void> show(const std::vector<delivery::Envelope>& fresh, Projection& projection,
                  NameDirectory& names) {
  for (const delivery::Envelope& envelope : fresh) {
    if (envelope.type == events::UserDeleted::kType) {
      EKIDEN_TRY(const auto event, events::decode<events::UserDeleted>(envelope));
      names.remove(event.user_id);
      continue;
    }
    EKIDEN_TRY(events::UserState state, read_state(envelope));
    names.put(state.user_id, std::move(state.display_name));
  }
  return projection.apply_noted(fresh);
}

}  // namespace

delivery::Subscription users_subscription(Projection& projection, NameDirectory& names, const Clock& clock) {
  return {
      .group = kPeopleGroup,
      .topic = events::kUsersTopic,
      .types = {events::UserRegistered::kType, events::UserChanged::kType, events::UserDeleted::kType},
      .apply = delivery::Batched{.apply =
                                     [&projection, &clock](sql::Tx& tx, const delivery::Envelope& envelope) {
                                       return apply(tx, envelope, projection, clock);
                                     }},
      .after_commit = [&projection, &names](const std::vector<delivery::Envelope>& fresh) {
        return show(fresh, projection, names);
      }};
}

}  // namespace ekiden::gamification
