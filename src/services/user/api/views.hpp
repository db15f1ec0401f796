#pragma once

#include <optional>
#include <string>

#include <boost/describe.hpp>

#include "json/json.hpp"
#include "services/user/domain/account.hpp"

namespace ekiden::user {

/// An account as its owner sees it.
struct MeView {
  UserId id;
  std::string email;
  std::string role;
  std::string display_name;
  std::string units;
  std::string time_zone;
  std::string language;
  std::string visibility;
  std::optional<std::string> sex;
  std::optional<std::int64_t> birth_year;
  std::optional<double> weight_kg;
  std::optional<std::int64_t> max_heart_rate_bpm;
  std::optional<std::int64_t> resting_heart_rate_bpm;
  std::optional<std::int64_t> threshold_power_w;
  std::int64_t version = 1;
  Timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(MeView, (),
                      (id, email, role, display_name, units, time_zone, language, visibility, sex, birth_year,
                       weight_kg, max_heart_rate_bpm, resting_heart_rate_bpm, threshold_power_w, version,
                       created_at))

/// An account as others see it.
struct PersonView {
  UserId id;
  std::string display_name;
};
BOOST_DESCRIBE_STRUCT(PersonView, (), (id, display_name))

MeView me_view(const Account& account);

}  // namespace ekiden::user
