#include "services/user/domain/events.hpp"

#include "events/codec.hpp"
#include "events/users.hpp"

namespace ekiden::user {

namespace {

events::Visibility visibility_of(Visibility visibility) {
  switch (visibility) {
    case Visibility::everyone:
      return events::Visibility::everyone;
    case Visibility::followers:
      return events::Visibility::followers;
    case Visibility::only_me:
      return events::Visibility::only_me;
  }
  return events::Visibility::only_me;
}

void fill(events::UserState& state, const Account& account) {
  const Profile& profile = account.profile;
  state.user_id = account.user_id;
  state.version = account.version;
  state.display_name = profile.display_name;
  state.time_zone = profile.time_zone;
  state.units = std::string(to_string(profile.units));
  state.language = std::string(to_string(profile.language));
  state.role = std::string(http::to_string(account.role));
  state.visibility = visibility_of(profile.visibility);
  state.created_at = account.created_at;
  if (profile.sex) state.sex = std::string(to_string(*profile.sex));
  state.birth_year = profile.birth_year;
  state.weight_kg = profile.weight_kg;
  state.max_heart_rate_bpm = profile.max_heart_rate_bpm;
  state.resting_heart_rate_bpm = profile.resting_heart_rate_bpm;
  state.threshold_power_w = profile.threshold_power_w;
}

}  // namespace

delivery::Envelope registered(const Account& account, std::string traceparent) {
  events::UserRegistered event;
  fill(event, account);
  return events::encode(event, std::move(traceparent), account.created_at);
}

delivery::Envelope changed(const Account& account, std::string traceparent) {
  events::UserChanged event;
  fill(event, account);
  return events::encode(event, std::move(traceparent), account.changed_at);
}

delivery::Envelope deleted(UserId user_id, std::int64_t version, std::string traceparent) {
  return events::encode(events::UserDeleted{.user_id = user_id, .version = version}, std::move(traceparent));
}

delivery::Envelope session_revoked(UserId user_id, SessionId session_id, Timestamp at,
                                   std::string traceparent) {
  events::SessionRevoked event{.user_id = user_id, .session_id = std::nullopt, .revoked_at = at};
  if (!session_id.is_nil()) event.session_id = session_id;
  return events::encode(event, std::move(traceparent), at);
}

}  // namespace ekiden::user
