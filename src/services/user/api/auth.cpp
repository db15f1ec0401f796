#include "services/user/api/auth.hpp"

#include <boost/describe.hpp>

#include "json/json.hpp"
#include "services/idempotency.hpp"
#include "services/user/api/revoked.hpp"
#include "services/user/api/views.hpp"
#include "services/user/domain/events.hpp"
#include "services/user/domain/secret.hpp"
#include "services/user/store/keys.hpp"

namespace ekiden::user {

namespace {

struct RegisterBody {
  std::string email;
  std::string password;
  std::string display_name;
  std::optional<std::string> time_zone;
  std::optional<std::string> language;
  std::optional<std::string> units;
  std::optional<std::string> invitation;
};
BOOST_DESCRIBE_STRUCT(RegisterBody, (),
                      (email, password, display_name, time_zone, language, units, invitation))

struct LoginBody {
  std::string email;
  std::string password;
};
BOOST_DESCRIBE_STRUCT(LoginBody, (), (email, password))

struct RefreshBody {
  std::string refresh_token;
};
BOOST_DESCRIBE_STRUCT(RefreshBody, (), (refresh_token))

struct ResetBody {
  std::string token;
  std::string password;
};
BOOST_DESCRIBE_STRUCT(ResetBody, (), (token, password))

struct TokensView {
  std::string access_token;
  std::string refresh_token;
  std::string token_type;
  std::int64_t expires_in_s = 0;
};
BOOST_DESCRIBE_STRUCT(TokensView, (), (access_token, refresh_token, token_type, expires_in_s))

constexpr std::size_t kUserAgentMax = 200;
/// Sessions of one person at a time; one more ends the one that was used longest ago.
constexpr std::int64_t kSessionsMax = 100;

Error wrong_credentials() {
  return {Errc::unauthenticated, "wrong-credentials", "the address or the password is not right"};
}

Error invalid_refresh_token() {
  return {Errc::unauthenticated, "invalid-refresh-token",
          "this refresh token is not valid (any more): sign in again"};
}

Error must_wait(Timestamp now, Timestamp not_before) {
  const auto wait = std::chrono::ceil<std::chrono::seconds>(not_before - now);
  return Error{Errc::limited, "too-many-attempts",
               "too many wrong passwords for this account: wait, or set a new one"}
      .with_retry_after(wait);
}

int year_of(Timestamp at) {
  return static_cast<int>(std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(at)}.year());
}

template <class Enum>
Result<void> set_choice(Enum& out, const std::optional<std::string>& text,
                        std::optional<Enum> (*parse)(std::string_view), const char* field,
                        const char* choices) {
  if (!text) return {};
  const auto parsed = parse(*text);
  if (!parsed) return Error{Errc::invalid, "unknown-value", std::string("give one of ") + choices, field};
  out = *parsed;
  return {};
}

Result<Profile> profile_of(const RegisterBody& body, int year_now) {
  Profile profile;
  profile.display_name = body.display_name;
  if (body.time_zone) profile.time_zone = *body.time_zone;
  EKIDEN_CHECK(set_choice(profile.language, body.language, parse_language, "language", "en, ru"));
  EKIDEN_CHECK(set_choice(profile.units, body.units, parse_units, "units", "metric, imperial"));
  return check_profile(std::move(profile), year_now);
}

/// Header text from a stranger, as it may be shown: printable ASCII, cut.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kUserAgentMax)) out.push_back(c >= 0x20 && c < 0x7f ? c : '?');
  return out;
}

}  // namespace

Result<http::Response> AuthApi::register_account(http::Request& request) {
  EKIDEN_TRY(RegisterBody body, json::read<RegisterBody>(request.body));
  if (config_.registration == Registration::closed) {
    return Error{Errc::forbidden, "registration-closed", "new accounts are made by an administrator here"};
  }
  if (config_.registration == Registration::invitation && !body.invitation) {
    return Error{Errc::invalid, "invitation-needed", "give the code of an invitation", "invitation"};
  }
  const Timestamp now = clock_.now();
  EKIDEN_TRY(std::string email, normalise_email(body.email));
  EKIDEN_TRY(Profile profile, profile_of(body, year_of(now)));
  EKIDEN_CHECK(check_password(body.password, email, "password"));
  // Hashed before the address is looked up, so that a taken one cannot be told by the time.
  EKIDEN_TRY(std::string hash, hasher_.hash(std::move(body.password), request.deadline));
  const Account account{.user_id = ids_.make<UserId>(),
                        .email = std::move(email),
                        .password_hash = std::move(hash),
                        .role = http::Role::member,
                        .profile = std::move(profile),
                        .version = 1,
                        .created_at = now,
                        .changed_at = now};
  // What tells this request from another: not the password, of which nothing but its hash may be kept.
  const std::string told = account.email + "\n" + account.profile.display_name;
  const auto create = [&](sql::Tx& tx) -> Result<http::Response> {
    EKIDEN_TRY(const bool inserted, insert_account(tx, account));
    if (!inserted) {
      return Error{Errc::conflict, "email-taken",
                   "there is an account with this address: sign in, or set a new password", "email"};
    }
    if (config_.registration == Registration::invitation) {
      EKIDEN_TRY(const bool used,
                 use_invitation(tx, hash_secret(*body.invitation), account.email, account.user_id, now));
      if (!used)
        return Error{Errc::invalid, "bad-invitation", "this invitation is unknown, used or too old",
                     "invitation"};
    }
    EKIDEN_CHECK(outbox_.append(tx, registered(account, request.trace.to_traceparent())));
    http::Response response = http::Response::json(201, json::write(me_view(account)));
    response.headers.set("Location", "/api/v1/me");
    return response;
  };
  return db_.write(
      [&](sql::Tx& tx) {
        return services::create_once(tx, request, UserId{}, now, [&] { return create(tx); }, told);
      },
      request.deadline);
}

Result<Account> AuthApi::authenticate(const std::string& email, const std::string& password,
                                      Deadline deadline) {
  const Timestamp now = clock_.now();
  struct Found {
    std::optional<Account> account;
    Timestamp not_before;
  };
  EKIDEN_TRY(Found found, db_.read(
                              [&](sql::Tx& tx) -> Result<Found> {
                                Found answer;
                                EKIDEN_TRY(answer.account, find_account_by_email(tx, email));
                                EKIDEN_TRY(answer.not_before, login_not_before(tx, email));
                                return answer;
                              },
                              deadline));
  if (now < found.not_before) return must_wait(now, found.not_before);
  EKIDEN_TRY(const bool right, found.account
                                   ? hasher_.verify(found.account->password_hash, password, deadline)
                                   : hasher_.verify_nobody(password, deadline));
  if (right) return *std::move(found.account);
  EKIDEN_CHECK(db_.write([&](sql::Tx& tx) { return count_login_failure(tx, email, now); }, deadline));
  return wrong_credentials();
}

Result<http::Response> AuthApi::login(http::Request& request) {
  EKIDEN_TRY(LoginBody body, json::read<LoginBody>(request.body));
  auto email = normalise_email(body.email);
  if (!email) return wrong_credentials();
  EKIDEN_TRY(Account account, authenticate(*email, body.password, request.deadline));
  if (hasher_.is_outdated(account.password_hash)) {
    EKIDEN_TRY(const std::string fresh, hasher_.hash(body.password, request.deadline));
    EKIDEN_CHECK(db_.write(
        [&](sql::Tx& tx) {
          return tx.execute("UPDATE users SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2",
                            {account.user_id, account.password_hash, fresh});
        },
        request.deadline));
  }
  return open_session(request, account);
}

Result<http::Response> AuthApi::open_session(const http::Request& request, const Account& account) {
  const Timestamp now = clock_.now();
  const std::string refresh_token = make_secret(random_, "ekr_");
  const Session session{.session_id = ids_.make<SessionId>(),
                        .user_id = account.user_id,
                        .user_agent = printable(request.headers.get("User-Agent").value_or("")),
                        .address = request.client_address,
                        .created_at = now,
                        .used_at = now,
                        .expires_at = now + config_.session_ttl,
                        .revoked_at = {}};
  EKIDEN_CHECK(db_.write(
      [&](sql::Tx& tx) -> Result<void> {
        EKIDEN_CHECK(forget_login_failures(tx, account.email));
        EKIDEN_CHECK(insert_session(tx, session, hash_secret(refresh_token)));
        EKIDEN_TRY(const auto ended, revoke_oldest(tx, account.user_id, kSessionsMax, now));
        return tell_revoked(tx, outbox_, request, account.user_id, ended, now);
      },
      request.deadline));
  return tokens(account, session.session_id, refresh_token, now);
}

http::Response AuthApi::tokens(const Account& account, SessionId session_id, const std::string& refresh_token,
                               Timestamp now) const {
  const http::AccessClaims claims{.user_id = account.user_id,
                                  .session_id = session_id,
                                  .role = account.role,
                                  .token_id = ids_.next(),
                                  .issued_at = now,
                                  .expires_at = now + config_.access_ttl};
  const TokensView view{.access_token = signer_.sign(claims),
                        .refresh_token = refresh_token,
                        .token_type = "Bearer",
                        .expires_in_s = config_.access_ttl.count()};
  http::Response response = http::Response::json(200, json::write(view));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Result<http::Response> AuthApi::refresh(http::Request& request) {
  EKIDEN_TRY(const RefreshBody body, json::read<RefreshBody>(request.body));
  const Timestamp now = clock_.now();
  const std::string next = make_secret(random_, "ekr_");
  struct Renewed {
    std::optional<Account> account;
    SessionId session_id;
  };
  // A reused token must end its session durably, so the refusal is an outcome and not an error, which would
  // roll back.
  EKIDEN_TRY(const Renewed renewed,
             db_.write(
                 [&](sql::Tx& tx) -> Result<Renewed> {
                   EKIDEN_TRY(const Rotation rotation,
                              rotate_refresh(tx, hash_secret(body.refresh_token), hash_secret(next), now,
                                             now + config_.session_ttl));
                   if (rotation.ended_now)
                     EKIDEN_CHECK(tell_revoked(tx, outbox_, request, rotation.session->user_id,
                                               {rotation.session->session_id}, now));
                   if (rotation.outcome != Rotation::Outcome::rotated) return Renewed{};
                   EKIDEN_TRY(std::optional<Account> account, find_account(tx, rotation.session->user_id));
                   return Renewed{std::move(account), rotation.session->session_id};
                 },
                 request.deadline));
  if (!renewed.account) return invalid_refresh_token();
  return tokens(*renewed.account, renewed.session_id, next, now);
}

Result<http::Response> AuthApi::logout(http::Request& request) {
  const http::Identity& who = request.user();
  const Timestamp now = clock_.now();
  EKIDEN_CHECK(db_.write(
      [&](sql::Tx& tx) -> Result<void> {
        EKIDEN_TRY(const bool ended, revoke_session(tx, who.user_id, who.session_id, now));
        if (!ended) return {};
        return tell_revoked(tx, outbox_, request, who.user_id, {who.session_id}, now);
      },
      request.deadline));
  return http::Response::no_content();
}

Result<http::Response> AuthApi::reset_password(http::Request& request) {
  EKIDEN_TRY(ResetBody body, json::read<ResetBody>(request.body));
  EKIDEN_CHECK(check_password(body.password, "", "password"));
  EKIDEN_TRY(const std::string hash, hasher_.hash(std::move(body.password), request.deadline));
  const Timestamp now = clock_.now();
  EKIDEN_CHECK(db_.write(
      [&](sql::Tx& tx) -> Result<void> {
        EKIDEN_TRY(const UserId user_id, use_password_reset(tx, hash_secret(body.token), now));
        EKIDEN_TRY(const auto account, find_account(tx, user_id));
        if (!account) return Error{Errc::gone, "account-gone", "this account has been deleted"};
        EKIDEN_CHECK(tx.execute("UPDATE users SET password_hash = $2 WHERE user_id = $1", {user_id, hash}));
        EKIDEN_TRY(const auto ended, revoke_sessions(tx, user_id, SessionId{}, now));
        EKIDEN_CHECK(tell_revoked(tx, outbox_, request, user_id, ended, now));
        return forget_login_failures(tx, account->email);
      },
      request.deadline));
  return http::Response::no_content();
}

std::vector<http::Route> AuthApi::routes(AuthApi* api) {
  using http::Auth;
  using http::BodyPolicy;
  using http::RateClass;
  const auto call = [api](Result<http::Response> (AuthApi::*method)(http::Request&)) {
    return http::BlockingHandler([api, method](http::Request& request) { return (api->*method)(request); });
  };
  return {
      {.verb = http::Verb::post,
       .pattern = "/api/v1/auth/register",
       .handler = call(&AuthApi::register_account),
       .auth = Auth::none,
       .rate_class = RateClass::auth,
       .body = BodyPolicy::json(16 * 1024),
       .idempotent = http::Idempotent::yes,
       .doc = {.summary = "Make an account",
               .tag = "auth",
               .request_schema = json::schema_of<RegisterBody>,
               .response_schema = json::schema_of<MeView>,
               .success_status = 201},
       .lane = kHashingLane},
      {.verb = http::Verb::post,
       .pattern = "/api/v1/auth/login",
       .handler = call(&AuthApi::login),
       .auth = Auth::none,
       .rate_class = RateClass::auth,
       .body = BodyPolicy::json(16 * 1024),
       .doc = {.summary = "Sign in",
               .tag = "auth",
               .request_schema = json::schema_of<LoginBody>,
               .response_schema = json::schema_of<TokensView>},
       .lane = kHashingLane},
      {.verb = http::Verb::post,
       .pattern = "/api/v1/auth/refresh",
       .handler = call(&AuthApi::refresh),
       .auth = Auth::none,
       .rate_class = RateClass::auth,
       .body = BodyPolicy::json(16 * 1024),
       .doc = {.summary = "Renew the access token; the refresh token is used up and replaced",
               .tag = "auth",
               .request_schema = json::schema_of<RefreshBody>,
               .response_schema = json::schema_of<TokensView>}},
      {.verb = http::Verb::post,
       .pattern = "/api/v1/auth/logout",
       .handler = call(&AuthApi::logout),
       .auth = Auth::user,
       .rate_class = RateClass::write,
       .doc = {.summary = "End this session", .tag = "auth", .success_status = 204}},
      {.verb = http::Verb::post,
       .pattern = "/api/v1/auth/reset",
       .handler = call(&AuthApi::reset_password),
       .auth = Auth::none,
       .rate_class = RateClass::auth,
       .body = BodyPolicy::json(16 * 1024),
       .doc = {.summary = "Set a new password with a reset token",
               .tag = "auth",
               .request_schema = json::schema_of<ResetBody>,
               .success_status = 204},
       .lane = kHashingLane},
  };
}

}  // namespace ekiden::user
