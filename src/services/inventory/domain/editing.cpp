#include "services/inventory/domain/editing.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"

namespace ekiden::inventory {

namespace {

/// 1900: somebody's grandmother's bicycle.
constexpr std::string_view kEarliestDay = "1900-01-01";
/// 1990, as for workouts.
constexpr Timestamp kEarliest = from_micros(631'152'000'000'000);
/// As far ahead as clocks and time zones are apart.
constexpr std::chrono::hours kAhead{24};
constexpr std::size_t kDayChars = 10;
constexpr std::size_t kCurrencyChars = 3;

Error out_of_range(std::string_view field, std::string_view bounds) {
  return {Errc::invalid, "out-of-range", "give " + std::string(bounds), std::string(field)};
}

Result<std::string> line(std::string_view text, std::string_view field, std::size_t chars_min,
                         std::size_t chars_max) {
  return clean_text(text, field, {.chars_min = chars_min, .chars_max = chars_max});
}

Result<std::optional<std::string>> read_day(const std::optional<std::string>& text, std::string_view field,
                                            Timestamp now) {
  if (!text) return std::optional<std::string>{};
  const auto midnight =
      text->size() == kDayChars ? parse_rfc3339(*text + "T00:00:00Z") : std::optional<Timestamp>{};
  if (midnight && *text >= kEarliestDay && *midnight <= now + kAhead) return text;
  return out_of_range(field, "a date from 1900 to today, as `2026-11-22`");
}

Result<std::int64_t> read_whole(std::int64_t value, std::string_view field, std::int64_t least,
                                std::int64_t most) {
  if (value >= least && value <= most) return value;
  return out_of_range(field, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

/// Seconds as milliseconds.
Result<std::int64_t> read_seconds(double value, std::string_view field, std::int64_t least_ms) {
  constexpr double kMsPerS = 1000;
  const double ms = std::round(value * kMsPerS);
  if (ms >= static_cast<double>(least_ms) && ms <= static_cast<double>(kMovingMaxMs))
    return static_cast<std::int64_t>(ms);
  return out_of_range(field, "seconds up to " + std::to_string(kMovingMaxMs / 1000));
}

Result<void> set_price(Gear& gear, std::optional<std::int64_t> price_minor, std::string currency) {
  gear.price_minor = price_minor;
  gear.currency = std::move(currency);
  if (price_minor) EKIDEN_CHECK(read_whole(*price_minor, "price_minor", 0, kPriceMax));
  if (!price_minor && !gear.currency.empty())
    return Error{Errc::invalid, "missing-field", "a currency needs a price", "price_minor"};
  if (!price_minor) return {};
  if (gear.currency.empty())
    return Error{Errc::invalid, "missing-field", "a price needs its currency, as `EUR`", "currency"};
  const bool is_code = gear.currency.size() == kCurrencyChars &&
                       std::ranges::all_of(gear.currency, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (is_code) return {};
  return Error{Errc::invalid, "unknown-value", "give the three letters of ISO 4217, as `EUR`", "currency"};
}

Result<std::vector<std::int64_t>> read_alerts(const std::vector<std::int64_t>& percents) {
  const std::string bounds = "at most " + std::to_string(kAlertsMax) + " rising percentages from 1 to " +
                             std::to_string(kAlertPercentMax);
  if (percents.size() > kAlertsMax) return out_of_range("alert_percents", bounds);
  std::int64_t last = 0;
  for (const std::int64_t percent : percents) {
    if (percent <= last || percent > kAlertPercentMax) return out_of_range("alert_percents", bounds);
    last = percent;
  }
  return percents;
}

Result<std::string> read_component(const Gear& gear, std::string_view text) {
  if (gear.kind != Kind::part && !text.empty())
    return Error{Errc::invalid, "unknown-field", "only a part has one", "component"};
  return line(text, "component", 0, kComponentChars);
}

Result<void> check_life(const Gear& gear) {
  if (gear.retired_on && gear.bought_on && *gear.retired_on < *gear.bought_on)
    return out_of_range("retired_on", "a date that is not before it was bought");
  return {};
}

Result<void> change_words(Gear& gear, const ChangeBody& body) {
  const auto text_of = [](const json::Patch<std::string>& patch) {
    return patch.has_value() ? std::string_view(patch.value()) : std::string_view();
  };
  if (!body.name.is_absent()) {
    EKIDEN_TRY(gear.name, line(text_of(body.name), "name", 1, kNameChars));
  }
  if (!body.component.is_absent()) {
    EKIDEN_TRY(gear.component, read_component(gear, text_of(body.component)));
  }
  if (!body.brand.is_absent()) {
    EKIDEN_TRY(gear.brand, line(text_of(body.brand), "brand", 0, kNameChars));
  }
  if (!body.model.is_absent()) {
    EKIDEN_TRY(gear.model, line(text_of(body.model), "model", 0, kNameChars));
  }
  if (!body.notes.is_absent()) {
    EKIDEN_TRY(gear.notes,
               clean_text(text_of(body.notes), "notes", {.chars_max = kNotesChars, .newlines = true}));
  }
  return {};
}

Result<void> change_money_and_days(Gear& gear, const ChangeBody& body, Timestamp now) {
  std::optional<std::int64_t> price = gear.price_minor;
  std::string currency = gear.currency;
  body.price_minor.apply_to(price);
  body.currency.apply_to(currency);
  // Without a price there is nothing that its currency could mean.
  if (body.price_minor.is_null() && body.currency.is_absent()) currency.clear();
  EKIDEN_CHECK(set_price(gear, price, std::move(currency)));
  if (!body.bought_on.is_absent()) {
    body.bought_on.apply_to(gear.bought_on);
    EKIDEN_TRY(gear.bought_on, read_day(gear.bought_on, "bought_on", now));
  }
  if (!body.retired_on.is_absent()) {
    body.retired_on.apply_to(gear.retired_on);
    EKIDEN_TRY(gear.retired_on, read_day(gear.retired_on, "retired_on", now));
  }
  return check_life(gear);
}

Result<void> change_wear(Gear& gear, const ChangeBody& body) {
  if (body.start_distance_m.is_null()) gear.start.distance_m = 0;
  if (body.start_distance_m.has_value()) {
    EKIDEN_TRY(gear.start.distance_m,
               read_whole(body.start_distance_m.value(), "start_distance_m", 0, kDistanceMaxM));
  }
  if (body.start_moving_s.is_null()) gear.start.moving_ms = 0;
  if (body.start_moving_s.has_value()) {
    EKIDEN_TRY(gear.start.moving_ms, read_seconds(body.start_moving_s.value(), "start_moving_s", 0));
  }
  if (body.life_distance_m.is_null()) gear.life.distance_m.reset();
  if (body.life_distance_m.has_value()) {
    EKIDEN_TRY(gear.life.distance_m,
               read_whole(body.life_distance_m.value(), "life_distance_m", 1, kDistanceMaxM));
  }
  if (body.life_moving_s.is_null()) gear.life.moving_ms.reset();
  if (body.life_moving_s.has_value()) {
    EKIDEN_TRY(gear.life.moving_ms, read_seconds(body.life_moving_s.value(), "life_moving_s", 1));
  }
  if (body.alert_percents.is_null()) gear.life.alert_percents = Life{}.alert_percents;
  if (body.alert_percents.has_value()) {
    EKIDEN_TRY(gear.life.alert_percents, read_alerts(body.alert_percents.value()));
  }
  return {};
}

template <class T>
json::Patch<T> patch_of(const std::optional<T>& value) {
  return value ? json::Patch<T>(*value) : json::Patch<T>();
}

}  // namespace

Result<Gear> make_gear(const CreateBody& body, Timestamp now) {
  Gear gear;
  gear.kind = body.kind;
  gear.created_at = gear.changed_at = now;
  const ChangeBody all{.name = body.name,
                       .component = patch_of(body.component),
                       .brand = patch_of(body.brand),
                       .model = patch_of(body.model),
                       .notes = patch_of(body.notes),
                       .price_minor = patch_of(body.price_minor),
                       .currency = patch_of(body.currency),
                       .bought_on = patch_of(body.bought_on),
                       .retired_on = patch_of(body.retired_on),
                       .start_distance_m = patch_of(body.start_distance_m),
                       .start_moving_s = patch_of(body.start_moving_s),
                       .life_distance_m = patch_of(body.life_distance_m),
                       .life_moving_s = patch_of(body.life_moving_s),
                       .alert_percents = patch_of(body.alert_percents)};
  return apply_change(gear, all, now);
}

Result<Gear> apply_change(const Gear& gear, const ChangeBody& body, Timestamp now) {
  Gear next = gear;
  EKIDEN_CHECK(change_words(next, body));
  EKIDEN_CHECK(change_money_and_days(next, body, now));
  EKIDEN_CHECK(change_wear(next, body));
  return next;
}

Result<void> check_times(const Mounting& mounting, Timestamp now) {
  constexpr std::string_view kBounds = "a time between 1990 and now";
  if (mounting.mounted_at < kEarliest || mounting.mounted_at > now + kAhead)
    return out_of_range("mounted_at", kBounds);
  if (!mounting.unmounted_at) return {};
  if (*mounting.unmounted_at > now + kAhead) return out_of_range("unmounted_at", kBounds);
  if (*mounting.unmounted_at <= mounting.mounted_at)
    return out_of_range("unmounted_at", "a time after it was mounted");
  return {};
}

Result<Mounting> apply_change(const Mounting& mounting, const MountChangeBody& body, Timestamp now) {
  Mounting next = mounting;
  if (body.bike_id.is_null()) return Error{Errc::invalid, "wrong-type", "this cannot be null", "bike_id"};
  if (body.mounted_at.is_null())
    return Error{Errc::invalid, "wrong-type", "this cannot be null", "mounted_at"};
  body.bike_id.apply_to(next.bike_id);
  body.mounted_at.apply_to(next.mounted_at);
  body.unmounted_at.apply_to(next.unmounted_at);
  EKIDEN_CHECK(check_times(next, now));
  return next;
}

Result<Defaults> read_defaults(const DefaultsBody& body) {
  Defaults defaults;
  for (const auto& [sport, gear_ids] : body.sports) {
    const std::string field = "sports." + sport;
    if (!is_sport(sport))
      return Error{Errc::invalid, "unknown-value", "give sports, as `run`, `ride`", "sports"};
    std::vector<GearId> once;
    for (const GearId gear_id : gear_ids) {
      if (std::ranges::find(once, gear_id) == once.end()) once.push_back(gear_id);
    }
    if (once.size() > kDefaultsPerSport) {
      return Error{Errc::invalid, "too-many",
                   "a sport has at most " + std::to_string(kDefaultsPerSport) + " pieces of default gear",
                   field};
    }
    if (!once.empty()) defaults.emplace(sport, std::move(once));
  }
  return defaults;
}

std::optional<std::string_view> image_type(std::string_view head) {
  using std::string_view_literals::operator""sv;
  if (head.starts_with("\xff\xd8\xff"sv)) return "image/jpeg";
  if (head.starts_with("\x89PNG\r\n\x1a\n"sv)) return "image/png";
  constexpr std::size_t kRiffHead = 12;
  if (head.size() >= kRiffHead && head.starts_with("RIFF"sv) && head.substr(8, 4) == "WEBP"sv)
    return "image/webp";
  return std::nullopt;
}

}  // namespace ekiden::inventory
