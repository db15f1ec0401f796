#include "services/user/api/views.hpp"

namespace ekiden::user {

MeView me_view(const Account& account) {
  const Profile& profile = account.profile;
  MeView view{.id = account.user_id,
              .email = account.email,
              .role = std::string(http::to_string(account.role)),
              .display_name = profile.display_name,
              .units = std::string(to_string(profile.units)),
              .time_zone = profile.time_zone,
              .language = std::string(to_string(profile.language)),
              .visibility = std::string(to_string(profile.visibility)),
              .sex = {},
              .birth_year = profile.birth_year,
              .weight_kg = profile.weight_kg,
              .max_heart_rate_bpm = profile.max_heart_rate_bpm,
              .resting_heart_rate_bpm = profile.resting_heart_rate_bpm,
              .threshold_power_w = profile.threshold_power_w,
              .version = account.version,
              .created_at = account.created_at};
  if (profile.sex) view.sex = std::string(to_string(*profile.sex));
  return view;
}

}  // namespace ekiden::user
