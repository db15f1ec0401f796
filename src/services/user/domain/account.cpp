#include "services/user/domain/account.hpp"

#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "base/time_zone.hpp"

namespace ekiden::user {

namespace {

constexpr std::size_t kEmailMax = 254;
constexpr std::size_t kPasswordMin = 8;
constexpr std::size_t kPasswordMax = 1024;
constexpr std::size_t kNameMax = 80;

template <class Enum, std::size_t N>
std::optional<Enum> parse_one(std::string_view text, const std::array<Enum, N>& values) {
  const auto found = std::ranges::find_if(values, [text](Enum value) { return to_string(value) == text; });
  if (found == values.end()) return std::nullopt;
  return *found;
}

template <class Number>
Result<void> check_range(const std::optional<Number>& value, Number least, Number most, const char* field) {
  if (!value || (*value >= least && *value <= most)) return {};
  std::string bounds = std::to_string(static_cast<std::int64_t>(least)) + " to " +
                       std::to_string(static_cast<std::int64_t>(most));
  return Error{Errc::invalid, "out-of-range", "give a number from " + bounds, field};
}

std::string lower(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return copy;
}

bool is_email_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && c != ',' && c != ';' && c != '<' && c != '>' && c != '"' &&
         c != '\\' && c != '(' && c != ')';
}

}  // namespace

std::string_view to_string(Units units) {
  switch (units) {
    case Units::metric:
      return "metric";
    case Units::imperial:
      return "imperial";
  }
  return "metric";
}

std::string_view to_string(Language language) {
  switch (language) {
    case Language::en:
      return "en";
    case Language::ru:
      return "ru";
  }
  return "en";
}

std::string_view to_string(Visibility visibility) {
  switch (visibility) {
    case Visibility::everyone:
      return "everyone";
    case Visibility::followers:
      return "followers";
    case Visibility::only_me:
      return "only_me";
  }
  return "only_me";
}

std::string_view to_string(Sex sex) {
  switch (sex) {
    case Sex::female:
      return "female";
    case Sex::male:
      return "male";
  }
  return "female";
}

std::optional<Units> parse_units(std::string_view text) {
  return parse_one(text, std::array{Units::metric, Units::imperial});
}
std::optional<Language> parse_language(std::string_view text) {
  return parse_one(text, std::array{Language::en, Language::ru});
}
std::optional<Visibility> parse_visibility(std::string_view text) {
  return parse_one(text, std::array{Visibility::everyone, Visibility::followers, Visibility::only_me});
}
std::optional<Sex> parse_sex(std::string_view text) {
  return parse_one(text, std::array{Sex::female, Sex::male});
}

Result<Profile> check_profile(Profile profile, int year_now) {
  EKIDEN_TRY(profile.display_name, clean_text(profile.display_name, "display_name",
                                              TextRules{.chars_min = 1, .chars_max = kNameMax}));
  if (!is_time_zone(profile.time_zone)) {
    return Error{Errc::invalid, "unknown-time-zone",
                 "give a name of the IANA time zone database, as Europe/Berlin", "time_zone"};
  }
  const auto year = static_cast<std::int64_t>(year_now);
  EKIDEN_CHECK(check_range<std::int64_t>(profile.birth_year, 1900, year - 5, "birth_year"));
  EKIDEN_CHECK(check_range(profile.weight_kg, 20.0, 400.0, "weight_kg"));
  EKIDEN_CHECK(check_range<std::int64_t>(profile.max_heart_rate_bpm, 100, 250, "max_heart_rate_bpm"));
  EKIDEN_CHECK(check_range<std::int64_t>(profile.resting_heart_rate_bpm, 25, 120, "resting_heart_rate_bpm"));
  EKIDEN_CHECK(check_range<std::int64_t>(profile.threshold_power_w, 30, 700, "threshold_power_w"));
  if (profile.max_heart_rate_bpm && profile.resting_heart_rate_bpm &&
      *profile.resting_heart_rate_bpm >= *profile.max_heart_rate_bpm) {
    return Error{Errc::invalid, "out-of-range", "the heart at rest beats slower than at most",
                 "resting_heart_rate_bpm"};
  }
  return profile;
}

Result<std::string> normalise_email(std::string_view text) {
  const auto wrong = [](const char* reason) { return Error{Errc::invalid, "bad-email", reason, "email"}; };
  EKIDEN_TRY(const std::string clean, clean_text(text, "email", TextRules{.chars_max = kEmailMax}));
  const std::size_t at = clean.find('@');
  if (at == std::string::npos || at == 0 || at > 64 || clean.find('@', at + 1) != std::string::npos) {
    return wrong("an address has a name, one @ and a domain");
  }
  const std::string_view domain = std::string_view(clean).substr(at + 1);
  const bool dotted =
      domain.find('.') != std::string_view::npos && domain.front() != '.' && domain.back() != '.';
  if (!dotted || domain.find("..") != std::string_view::npos)
    return wrong("the domain of an address has a dot inside");
  if (!std::ranges::all_of(clean, is_email_byte))
    return wrong("an address has no spaces, quotes, commas or brackets");
  return lower(clean);
}

Result<void> check_password(std::string_view password, std::string_view email, std::string_view field) {
  const auto weak = [field](std::string reason) {
    return Error{Errc::invalid, "weak-password", std::move(reason), std::string(field)};
  };
  if (password.size() < kPasswordMin) return weak("use at least 8 characters");
  if (password.size() > kPasswordMax) return weak("use at most 1024 bytes");
  if (is_common_password(password)) return weak("this one is among the most common passwords: use another");
  const std::string_view name = email.substr(0, email.find('@'));
  if (lower(password) == email || (name.size() >= kPasswordMin && lower(password) == name)) {
    return weak("do not use the address as password");
  }
  return {};
}

std::chrono::seconds login_delay(std::int64_t failures) {
  constexpr std::chrono::seconds kMost{15 * 60};
  if (failures < 5) return std::chrono::seconds{0};
  if (failures >= 15) return kMost;
  return std::min(kMost, std::chrono::seconds{std::int64_t{2} << (failures - 5)});
}

}  // namespace ekiden::user
