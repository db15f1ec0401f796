#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/describe.hpp>
#include <boost/mp11/list.hpp>

#include "base/clock.hpp"
#include "base/id.hpp"

/// Topic `users`: who there is, and what they show of themselves. Keyed by the person; a person's events are
/// numbered 1, 2, 3 … by `version`.
namespace ekiden::events {

inline constexpr std::string_view kUsersTopic = "users";

/// Who sees a workout. A reader that meets a word it does not know refuses the event rather than guess.
enum class Visibility : std::uint8_t { everyone, followers, only_me };
BOOST_DESCRIBE_ENUM(Visibility, everyone, followers, only_me)

/// What other services keep a copy of, as it is after the event.
struct UserState {
  UserId user_id;
  std::int64_t version = 0;
  std::string display_name;
  std::string time_zone;                         ///< IANA name
  std::string units;                             ///< `metric`, `imperial`
  std::string language;                          ///< `en`, `ru`
  std::string role;                              ///< `member`, …, as the user service names them
  Visibility visibility = Visibility::everyone;  ///< of new workouts, where their uploader does not say
  Timestamp created_at;                          ///< of the account
  // What training figures are computed with, where the person has told it.
  std::optional<std::string> sex;  ///< `female`, `male`
  std::optional<std::int64_t> birth_year;
  std::optional<double> weight_kg;
  std::optional<std::int64_t> max_heart_rate_bpm;
  std::optional<std::int64_t> resting_heart_rate_bpm;
  std::optional<std::int64_t> threshold_power_w;

  std::string subject() const { return user_id.to_string(); }
  std::string partition_key() const { return user_id.to_string(); }
  std::int64_t sequence() const { return version; }
  friend bool operator==(const UserState&, const UserState&) = default;
};
BOOST_DESCRIBE_STRUCT(UserState, (),
                      (user_id, version, display_name, time_zone, units, language, role, visibility,
                       created_at, sex, birth_year, weight_kg, max_heart_rate_bpm, resting_heart_rate_bpm,
                       threshold_power_w))

struct UserRegistered : UserState {
  static constexpr std::string_view kTopic = kUsersTopic;
  static constexpr std::string_view kType = "user.registered";
  static constexpr std::int32_t kSchema = 1;
  static constexpr std::string_view kAbout = "An account was made.";
};
BOOST_DESCRIBE_STRUCT(UserRegistered, (UserState), ())

struct UserChanged : UserState {
  static constexpr std::string_view kTopic = kUsersTopic;
  static constexpr std::string_view kType = "user.changed";
  static constexpr std::int32_t kSchema = 1;
  static constexpr std::string_view kAbout = "Something that others copy has changed; the whole new state.";
};
BOOST_DESCRIBE_STRUCT(UserChanged, (UserState), ())

struct UserDeleted {
  static constexpr std::string_view kTopic = kUsersTopic;
  static constexpr std::string_view kType = "user.deleted";
  static constexpr std::int32_t kSchema = 1;
  static constexpr std::string_view kAbout = "The account is gone: erase what is kept of this person.";

  UserId user_id;
  std::int64_t version = 0;

  std::string subject() const { return user_id.to_string(); }
  std::string partition_key() const { return user_id.to_string(); }
  std::int64_t sequence() const { return version; }
  friend bool operator==(const UserDeleted&, const UserDeleted&) = default;
};
BOOST_DESCRIBE_STRUCT(UserDeleted, (), (user_id, version))

/// Has no place in the person's numbering: a session is an aggregate of its own.
struct SessionRevoked {
  static constexpr std::string_view kTopic = kUsersTopic;
  static constexpr std::string_view kType = "session.revoked";
  static constexpr std::int32_t kSchema = 1;
  static constexpr std::string_view kAbout = "Tokens are not valid any more: close what they opened.";

  UserId user_id;
  std::optional<SessionId> session_id;  ///< absent: all of this person's
  Timestamp revoked_at;                 ///< tokens issued until then are meant

  std::string subject() const { return session_id ? session_id->to_string() : user_id.to_string(); }
  std::string partition_key() const { return user_id.to_string(); }
  std::int64_t sequence() const { return 0; }
  friend bool operator==(const SessionRevoked&, const SessionRevoked&) = default;
};
BOOST_DESCRIBE_STRUCT(SessionRevoked, (), (user_id, session_id, revoked_at))

using UsersEvents = boost::mp11::mp_list<UserRegistered, UserChanged, UserDeleted, SessionRevoked>;

}  // namespace ekiden::events
