#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "http/message.hpp"

namespace ekiden::user {

enum class Units { metric, imperial };
enum class Language { en, ru };
/// Who sees a new workout where its uploader does not say.
enum class Visibility { everyone, followers, only_me };
enum class Sex { female, male };

std::string_view to_string(Units units);
std::string_view to_string(Language language);
std::string_view to_string(Visibility visibility);
std::string_view to_string(Sex sex);
std::optional<Units> parse_units(std::string_view text);
std::optional<Language> parse_language(std::string_view text);
std::optional<Visibility> parse_visibility(std::string_view text);
std::optional<Sex> parse_sex(std::string_view text);

/// What a person tells of themselves. Absent numbers are unknown, and figures that need them are then left
/// out.
struct Profile {
  std::string display_name;
  Units units = Units::metric;
  std::string time_zone = "UTC";  ///< IANA name
  Language language = Language::en;
  Visibility visibility = Visibility::everyone;
  std::optional<Sex> sex;
  std::optional<std::int64_t> birth_year;
  std::optional<double> weight_kg;
  std::optional<std::int64_t> max_heart_rate_bpm;
  std::optional<std::int64_t> resting_heart_rate_bpm;
  std::optional<std::int64_t> threshold_power_w;
  friend bool operator==(const Profile&, const Profile&) = default;
};

struct Account {
  UserId user_id;
  std::string email;
  std::string password_hash;
  http::Role role = http::Role::member;
  Profile profile;
  std::int64_t version = 1;
  Timestamp created_at;
  Timestamp changed_at;
};

/// Checks every field against its bounds. @param year_now for the birth year.
/// @errors invalid: the field that is out of bounds, and the bounds.
Result<Profile> check_profile(Profile profile, int year_now);

/// An address as it is stored and compared: trimmed, in lower case, at most 254 bytes, one `@`, a dot in the
/// domain.
/// @errors invalid: field `email`.
Result<std::string> normalise_email(std::string_view text);

/// 8 to 1024 bytes, not one of the common ones, not the address or the name. @errors invalid: field `field`.
Result<void> check_password(std::string_view password, std::string_view email, std::string_view field);

/// True for a password of the list of common ones (compared in lower case).
bool is_common_password(std::string_view password);

/// How long an account waits after `failures` wrong passwords in a row: nothing for the first four, then 2 s,
/// doubled each time up to 15 minutes.
std::chrono::seconds login_delay(std::int64_t failures);

}  // namespace ekiden::user
