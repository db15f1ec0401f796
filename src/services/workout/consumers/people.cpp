#include "services/workout/consumers/people.hpp"

#include "events/codec.hpp"
#include "events/users.hpp"
#include "services/workout/jobs/blob_removal.hpp"
#include "services/workout/store/people.hpp"

namespace ekiden::workout {

namespace {

template <class Event>
Result<void> put(sql::Tx& tx, const delivery::Envelope& envelope) {
  EKIDEN_TRY(const Event event, events::decode<Event>(envelope));
  EKIDEN_TRY(const bool erased, is_erased(tx, event.user_id));
  if (erased) return {};
  return put_person(tx, event);
}

Result<void> apply(sql::Tx& tx, const delivery::Envelope& envelope, const runtime::JobQueue& jobs,
                   const Clock& clock) {
  if (envelope.type == events::UserRegistered::kType) return put<events::UserRegistered>(tx, envelope);
  if (envelope.type == events::UserChanged::kType) return put<events::UserChanged>(tx, envelope);
  EKIDEN_TRY(const auto event, events::decode<events::UserDeleted>(envelope));
  EKIDEN_TRY(const std::vector<blobs::Hash> unreferenced, erase_person(tx, event.user_id, clock.now()));
  return remove_later(tx, jobs, unreferenced, clock.now());
}

}  // namespace

delivery::Subscription people_subscription(const runtime::JobQueue& jobs, const Clock& clock) {
  return {
      .group = kPeopleGroup,
      .topic = events::kUsersTopic,
      .types = {events::UserRegistered::kType, events::UserChanged::kType, events::UserDeleted::kType},
      .apply = delivery::Batched{.apply = [&jobs, &clock](sql::Tx& tx, const delivery::Envelope& envelope) {
        return apply(tx, envelope, jobs, clock);
      }}};
}

}  // namespace ekiden::workout
