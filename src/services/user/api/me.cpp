#include "services/user/api/me.hpp"

#include <boost/describe.hpp>

#include "http/etag.hpp"
#include "json/json.hpp"
#include "services/conditional.hpp"
#include "services/user/api/revoked.hpp"
#include "services/user/api/views.hpp"
#include "services/user/domain/events.hpp"
#include "services/user/store/sessions.hpp"

namespace ekiden::user {

namespace {

struct ChangeBody {
  json::Patch<std::string> display_name;
  json::Patch<std::string> units;
  json::Patch<std::string> time_zone;
  json::Patch<std::string> language;
  json::Patch<std::string> visibility;
  json::Patch<std::string> sex;
  json::Patch<std::int64_t> birth_year;
  json::Patch<double> weight_kg;
  json::Patch<std::int64_t> max_heart_rate_bpm;
  json::Patch<std::int64_t> resting_heart_rate_bpm;
  json::Patch<std::int64_t> threshold_power_w;
};
BOOST_DESCRIBE_STRUCT(ChangeBody, (),
                      (display_name, units, time_zone, language, visibility, sex, birth_year, weight_kg,
                       max_heart_rate_bpm, resting_heart_rate_bpm, threshold_power_w))

struct PasswordBody {
  std::string current_password;
  std::string new_password;
};
BOOST_DESCRIBE_STRUCT(PasswordBody, (), (current_password, new_password))

struct SessionView {
  SessionId id;
  bool current = false;
  std::string user_agent;
  std::string address;
  Timestamp created_at;
  Timestamp used_at;
  Timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(SessionView, (), (id, current, user_agent, address, created_at, used_at, expires_at))

struct SessionsView {
  std::vector<SessionView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(SessionsView, (), (items, next_cursor))

Error account_gone() {
  return {Errc::unauthenticated, "invalid-token", "this account has been deleted"};
}

/// A choice that can be changed, but not cleared.
template <class Enum>
Result<void> apply_choice(Enum& target, const json::Patch<std::string>& patch,
                          std::optional<Enum> (*parse)(std::string_view), const char* field,
                          const char* choices) {
  if (patch.is_absent()) return {};
  const auto parsed = patch.has_value() ? parse(patch.value()) : std::nullopt;
  if (!parsed) return Error{Errc::invalid, "unknown-value", std::string("give one of ") + choices, field};
  target = *parsed;
  return {};
}

Result<void> apply_text(std::string& target, const json::Patch<std::string>& patch, const char* field) {
  if (patch.is_null()) return Error{Errc::invalid, "wrong-type", "this cannot be null", field};
  patch.apply_to(target);
  return {};
}

Result<Profile> apply(Profile profile, const ChangeBody& body, int year_now) {
  EKIDEN_CHECK(apply_text(profile.display_name, body.display_name, "display_name"));
  EKIDEN_CHECK(apply_text(profile.time_zone, body.time_zone, "time_zone"));
  EKIDEN_CHECK(apply_choice(profile.units, body.units, parse_units, "units", "metric, imperial"));
  EKIDEN_CHECK(apply_choice(profile.language, body.language, parse_language, "language", "en, ru"));
  EKIDEN_CHECK(apply_choice(profile.visibility, body.visibility, parse_visibility, "visibility",
                            "everyone, followers, only_me"));
  if (body.sex.is_null()) profile.sex.reset();
  if (body.sex.has_value()) {
    profile.sex = parse_sex(body.sex.value());
    if (!profile.sex)
      return Error{Errc::invalid, "unknown-value", "give one of female, male, or null", "sex"};
  }
  body.birth_year.apply_to(profile.birth_year);
  body.weight_kg.apply_to(profile.weight_kg);
  body.max_heart_rate_bpm.apply_to(profile.max_heart_rate_bpm);
  body.resting_heart_rate_bpm.apply_to(profile.resting_heart_rate_bpm);
  body.threshold_power_w.apply_to(profile.threshold_power_w);
  return check_profile(std::move(profile), year_now);
}

http::Response show_account(const Account& account) {
  http::Response response = http::Response::json(200, json::write(me_view(account)));
  response.headers.set("ETag", http::etag_of_version(account.version));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

}  // namespace

Result<http::Response> MeApi::show(http::Request& request) {
  EKIDEN_TRY(
      const auto account,
      db_.read([&](sql::Tx& tx) { return find_account(tx, request.user().user_id); }, request.deadline));
  if (!account) return account_gone();
  return show_account(*account);
}

Result<http::Response> MeApi::change(http::Request& request) {
  EKIDEN_TRY(const ChangeBody body, json::read<ChangeBody>(request.body));
  const Timestamp now = clock_.now();
  const int year =
      static_cast<int>(std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(now)}.year());
  EKIDEN_TRY(const Account changed_account,
             db_.write(
                 [&](sql::Tx& tx) -> Result<Account> {
                   EKIDEN_TRY(std::optional<Account> account, find_account(tx, request.user().user_id));
                   if (!account) return account_gone();
                   EKIDEN_CHECK(services::check_if_match(request, account->version));
                   EKIDEN_TRY(Profile profile, apply(account->profile, body, year));
                   if (profile == account->profile) return *std::move(account);
                   account->profile = std::move(profile);
                   account->version += 1;
                   account->changed_at = now;
                   EKIDEN_TRY(const bool updated, update_account(tx, *account));
                   if (!updated)
                     return Error{Errc::unavailable, "race-lost", "somebody changed this at the same moment"};
                   EKIDEN_CHECK(outbox_.append(tx, changed(*account, request.trace.to_traceparent())));
                   return *std::move(account);
                 },
                 request.deadline));
  return show_account(changed_account);
}

Result<http::Response> MeApi::erase(http::Request& request) {
  const UserId user_id = request.user().user_id;
  EKIDEN_CHECK(db_.write(
      [&](sql::Tx& tx) -> Result<void> {
        EKIDEN_TRY(const auto account, find_account(tx, user_id));
        if (!account) return account_gone();
        const Timestamp now = clock_.now();
        EKIDEN_CHECK(erase_account(tx, user_id, now));
        // Its sessions go with it: all tokens that were issued until now are meant.
        EKIDEN_CHECK(
            outbox_.append(tx, session_revoked(user_id, SessionId{}, now, request.trace.to_traceparent())));
        return outbox_.append(tx, deleted(user_id, account->version + 1, request.trace.to_traceparent()));
      },
      request.deadline));
  return http::Response::no_content();
}

Result<http::Response> MeApi::change_password(http::Request& request) {
  EKIDEN_TRY(PasswordBody body, json::read<PasswordBody>(request.body));
  const http::Identity& who = request.user();
  EKIDEN_TRY(const auto account,
             db_.read([&](sql::Tx& tx) { return find_account(tx, who.user_id); }, request.deadline));
  if (!account) return account_gone();
  EKIDEN_CHECK(check_password(body.new_password, account->email, "new_password"));
  EKIDEN_TRY(const bool right,
             hasher_.verify(account->password_hash, std::move(body.current_password), request.deadline));
  if (!right)
    return Error{Errc::invalid, "wrong-password", "this is not the current password", "current_password"};
  EKIDEN_TRY(const std::string hash, hasher_.hash(std::move(body.new_password), request.deadline));
  EKIDEN_CHECK(db_.write(
      [&](sql::Tx& tx) -> Result<void> {
        EKIDEN_TRY(const std::int64_t updated,
                   tx.execute("UPDATE users SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2",
                              {who.user_id, account->password_hash, hash}));
        if (updated != 1)
          return Error{Errc::conflict, "password-changed", "the password was changed at the same moment"};
        return end_others(tx, request);
      },
      request.deadline));
  return http::Response::no_content();
}

Result<http::Response> MeApi::list_sessions(http::Request& request) {
  const http::Identity& who = request.user();
  EKIDEN_TRY(
      const auto sessions,
      db_.read([&](sql::Tx& tx) { return live_sessions(tx, who.user_id, clock_.now()); }, request.deadline));
  SessionsView view;
  for (const Session& session : sessions) {
    view.items.push_back({.id = session.session_id,
                          .current = session.session_id == who.session_id,
                          .user_agent = session.user_agent,
                          .address = session.address,
                          .created_at = session.created_at,
                          .used_at = session.used_at,
                          .expires_at = session.expires_at});
  }
  return http::Response::json(200, json::write(view));
}

Result<http::Response> MeApi::end_session(http::Request& request) {
  const auto session_id = SessionId::parse(request.param("id"));
  const auto unknown = [] { return Error{Errc::not_found, "not-found", "there is no such session"}; };
  if (!session_id) return unknown();
  const UserId user_id = request.user().user_id;
  const Timestamp now = clock_.now();
  EKIDEN_TRY(const bool ended,
             db_.write(
                 [&](sql::Tx& tx) -> Result<bool> {
                   EKIDEN_TRY(const bool was_live, revoke_session(tx, user_id, *session_id, now));
                   if (was_live)
                     EKIDEN_CHECK(tell_revoked(tx, outbox_, request, user_id, {*session_id}, now));
                   return was_live;
                 },
                 request.deadline));
  if (!ended) return unknown();
  return http::Response::no_content();
}

Result<http::Response> MeApi::end_other_sessions(http::Request& request) {
  EKIDEN_CHECK(db_.write([&](sql::Tx& tx) { return end_others(tx, request); }, request.deadline));
  return http::Response::no_content();
}

Result<void> MeApi::end_others(sql::Tx& tx, const http::Request& request) {
  const http::Identity& who = request.user();
  const Timestamp now = clock_.now();
  EKIDEN_TRY(const auto ended, revoke_sessions(tx, who.user_id, who.session_id, now));
  return tell_revoked(tx, outbox_, request, who.user_id, ended, now);
}

Result<http::Response> MeApi::show_person(http::Request& request) {
  const auto unknown = [] { return Error{Errc::not_found, "not-found", "there is no such person"}; };
  const auto user_id = UserId::parse(request.param("id"));
  if (!user_id) return unknown();
  EKIDEN_TRY(const auto account,
             db_.read([&](sql::Tx& tx) { return find_account(tx, *user_id); }, request.deadline));
  if (!account) return unknown();
  return http::Response::json(
      200, json::write(PersonView{.id = account->user_id, .display_name = account->profile.display_name}));
}

std::vector<http::Route> MeApi::routes(MeApi* api) {
  using http::BodyPolicy;
  using http::RateClass;
  using http::Verb;
  const auto call = [api](Result<http::Response> (MeApi::*method)(http::Request&)) {
    return http::BlockingHandler([api, method](http::Request& request) { return (api->*method)(request); });
  };
  return {
      {.verb = Verb::get,
       .pattern = "/api/v1/me",
       .handler = call(&MeApi::show),
       .doc = {.summary = "One's own account", .tag = "me", .response_schema = json::schema_of<MeView>}},
      {.verb = Verb::patch,
       .pattern = "/api/v1/me",
       .handler = call(&MeApi::change),
       .rate_class = RateClass::write,
       .body = BodyPolicy::json(),
       .doc = {.summary = "Change one's profile",
               .tag = "me",
               .request_schema = json::schema_of<ChangeBody>,
               .response_schema = json::schema_of<MeView>}},
      {.verb = Verb::del,
       .pattern = "/api/v1/me",
       .handler = call(&MeApi::erase),
       .rate_class = RateClass::write,
       .doc = {.summary = "Delete the account and everything that belongs to it",
               .tag = "me",
               .success_status = 204}},
      {.verb = Verb::post,
       .pattern = "/api/v1/me/password",
       .handler = call(&MeApi::change_password),
       .rate_class = RateClass::auth,
       .body = BodyPolicy::json(16 * 1024),
       .doc = {.summary = "Change the password; all other sessions end",
               .tag = "me",
               .request_schema = json::schema_of<PasswordBody>,
               .success_status = 204},
       .lane = kHashingLane},
      {.verb = Verb::get,
       .pattern = "/api/v1/me/sessions",
       .handler = call(&MeApi::list_sessions),
       .doc = {.summary = "Where one is signed in",
               .tag = "me",
               .response_schema = json::schema_of<SessionsView>}},
      {.verb = Verb::del,
       .pattern = "/api/v1/me/sessions",
       .handler = call(&MeApi::end_other_sessions),
       .rate_class = RateClass::write,
       .doc = {.summary = "End all sessions but this one", .tag = "me", .success_status = 204}},
      {.verb = Verb::del,
       .pattern = "/api/v1/me/sessions/{id}",
       .handler = call(&MeApi::end_session),
       .rate_class = RateClass::write,
       .doc = {.summary = "End a session", .tag = "me", .success_status = 204}},
      {.verb = Verb::get,
       .pattern = "/api/v1/users/{id}",
       .handler = call(&MeApi::show_person),
       .doc = {.summary = "A person, as others see them",
               .tag = "people",
               .response_schema = json::schema_of<PersonView>}},
  };
}

}  // namespace ekiden::user
