#include "services/workout/activity/activity.hpp"

#include <algorithm>
#include <cctype>

namespace ekiden::activity {
namespace {

constexpr std::array<std::string_view, kSportCount> kNames = {"run",
                                                              "trail_run",
                                                              "treadmill",
                                                              "ride",
                                                              "mountain_bike",
                                                              "gravel",
                                                              "indoor_ride",
                                                              "virtual_ride",
                                                              "walk",
                                                              "hike",
                                                              "mountaineering",
                                                              "swim",
                                                              "open_water_swim",
                                                              "row",
                                                              "indoor_row",
                                                              "paddle",
                                                              "ski",
                                                              "snowboard",
                                                              "skate",
                                                              "strength",
                                                              "yoga",
                                                              "dive",
                                                              "workout"};

struct Alias {
  std::string_view name;
  Sport sport;
};

/// What devices and services write, in lower case with `_` between words. The numbers are Strava's of old.
constexpr Alias kAliases[] = {
    {"running", Sport::run},
    {"jogging", Sport::run},
    {"track_running", Sport::run},
    {"street_running", Sport::run},
    {"9", Sport::run},
    {"trail_running", Sport::trail_run},
    {"trailrun", Sport::trail_run},
    {"treadmill_running", Sport::treadmill},
    {"indoor_running", Sport::treadmill},
    {"virtualrun", Sport::treadmill},
    {"virtual_run", Sport::treadmill},
    {"biking", Sport::ride},
    {"cycling", Sport::ride},
    {"bike", Sport::ride},
    {"bicycle", Sport::ride},
    {"road_biking", Sport::ride},
    {"road_cycling", Sport::ride},
    {"e_bike", Sport::ride},
    {"ebikeride", Sport::ride},
    {"1", Sport::ride},
    {"mountain_biking", Sport::mountain_bike},
    {"mountainbikeride", Sport::mountain_bike},
    {"mtb", Sport::mountain_bike},
    {"gravel_cycling", Sport::gravel},
    {"gravelride", Sport::gravel},
    {"indoor_cycling", Sport::indoor_ride},
    {"spinning", Sport::indoor_ride},
    {"virtualride", Sport::virtual_ride},
    {"virtual_cycling", Sport::virtual_ride},
    {"walking", Sport::walk},
    {"casual_walking", Sport::walk},
    {"nordic_walking", Sport::walk},
    {"10", Sport::walk},
    {"hiking", Sport::hike},
    {"4", Sport::hike},
    {"alpine_climbing", Sport::mountaineering},
    {"climbing", Sport::mountaineering},
    {"swimming", Sport::swim},
    {"lap_swimming", Sport::swim},
    {"pool_swim", Sport::swim},
    {"16", Sport::swim},
    {"open_water", Sport::open_water_swim},
    {"open_water_swimming", Sport::open_water_swim},
    {"rowing", Sport::row},
    {"indoor_rowing", Sport::indoor_row},
    {"kayaking", Sport::paddle},
    {"canoeing", Sport::paddle},
    {"paddling", Sport::paddle},
    {"stand_up_paddleboarding", Sport::paddle},
    {"standuppaddling", Sport::paddle},
    {"skiing", Sport::ski},
    {"alpine_skiing", Sport::ski},
    {"backcountry_skiing", Sport::ski},
    {"cross_country_skiing", Sport::ski},
    {"alpineski", Sport::ski},
    {"nordicski", Sport::ski},
    {"alpinetour", Sport::ski},
    {"snowboarding", Sport::snowboard},
    {"skating", Sport::skate},
    {"inline_skating", Sport::skate},
    {"inlineskate", Sport::skate},
    {"iceskate", Sport::skate},
    {"strength_training", Sport::strength},
    {"weighttraining", Sport::strength},
    {"diving", Sport::dive},
    {"training", Sport::workout},
};

}  // namespace

std::string_view to_string(Sport sport) {
  return kNames[static_cast<std::size_t>(sport)];
}

std::optional<Sport> parse_sport(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Sport>(found - kNames.begin());
}

std::optional<Sport> guess_sport(std::string_view text) {
  std::string word;
  for (const char c : text.substr(0, 64)) {
    if (c == ' ' || c == '-' || c == '_' || c == '\n' || c == '\t' || c == '\r') {
      if (!word.empty() && word.back() != '_') word += '_';
    } else {
      word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
  }
  while (!word.empty() && word.back() == '_') word.pop_back();
  if (const auto exact = parse_sport(word)) return exact;
  const auto* const found = std::ranges::find(kAliases, word, &Alias::name);
  if (found == std::end(kAliases)) return std::nullopt;
  return found->sport;
}

}  // namespace ekiden::activity
