#include "services/inventory/consumers/people.hpp"

#include "events/codec.hpp"
#include "events/users.hpp"
#include "services/inventory/jobs/photo_removal.hpp"
#include "services/inventory/store/people.hpp"

namespace ekiden::inventory {

namespace {

Result<void> apply(sql::Tx& tx, const delivery::Envelope& envelope, const runtime::JobQueue& jobs,
                   const Clock& clock) {
  EKIDEN_TRY(const auto event, events::decode<events::UserDeleted>(envelope));
  EKIDEN_TRY(const std::vector<blobs::Hash> photos, erase_person(tx, event.user_id, clock.now()));
  return remove_photos(tx, jobs, photos, clock.now());
}

}  // namespace

delivery::Subscription people_subscription(const runtime::JobQueue& jobs, const Clock& clock) {
  return {
      .group = kPeopleGroup,
      .topic = events::kUsersTopic,
      .types = {events::UserDeleted::kType},
      .apply = delivery::Batched{.apply = [&jobs, &clock](sql::Tx& tx, const delivery::Envelope& envelope) {
        return apply(tx, envelope, jobs, clock);
      }}};
}

}  // namespace ekiden::inventory
