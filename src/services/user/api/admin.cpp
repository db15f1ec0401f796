#include "services/user/api/admin.hpp"

#include <boost/describe.hpp>

#include "json/json.hpp"
#include "services/conditional.hpp"
#include "services/idempotency.hpp"
#include "services/user/api/views.hpp"
#include "services/user/domain/events.hpp"
#include "services/user/domain/secret.hpp"
#include "services/user/store/keys.hpp"
#include "services/user/store/sessions.hpp"

namespace ekiden::user {

namespace {

struct InvitationBody {
  std::optional<std::string> email;
};
BOOST_DESCRIBE_STRUCT(InvitationBody, (), (email))

struct NewInvitationView {
  InvitationId id;
  std::optional<std::string> code;  ///< null in a repeated answer: it is shown once, and kept nowhere
  std::optional<std::string> email;
  Timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(NewInvitationView, (), (id, code, email, expires_at))

struct InvitationView {
  InvitationId id;
  std::optional<std::string> email;
  bool used = false;
  Timestamp created_at;
  Timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(InvitationView, (), (id, email, used, created_at, expires_at))

struct InvitationsView {
  std::vector<InvitationView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(InvitationsView, (), (items, next_cursor))

struct UsersView {
  std::vector<MeView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(UsersView, (), (items, next_cursor))

struct RoleBody {
  std::string role;
};
BOOST_DESCRIBE_STRUCT(RoleBody, (), (role))

struct ResetView {
  std::string token;
  Timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(ResetView, (), (token, expires_at))

constexpr std::string_view kUsersList = "users";

Error no_such_user() {
  return {Errc::not_found, "not-found", "there is no such person"};
}

}  // namespace

Result<http::Response> AdminApi::invite(http::Request& request) {
  EKIDEN_TRY(InvitationBody body, json::read<InvitationBody>(request.body));
  if (body.email) {
    EKIDEN_TRY(body.email, normalise_email(*body.email));
  }
  const Timestamp now = clock_.now();
  const std::string code = make_secret(random_, "eki_");
  const Invitation invitation{.invitation_id = ids_.make<InvitationId>(),
                              .created_by = request.user().user_id,
                              .email = body.email,
                              .created_at = now,
                              .expires_at = now + config_.invitation_ttl,
                              .used = false};
  const auto answer = [&invitation](std::optional<std::string> shown) {
    return http::Response::json(201, json::write(NewInvitationView{.id = invitation.invitation_id,
                                                                   .code = std::move(shown),
                                                                   .email = invitation.email,
                                                                   .expires_at = invitation.expires_at}));
  };
  const auto create = [&](sql::Tx& tx) -> Result<services::ShownOnce> {
    EKIDEN_CHECK(insert_invitation(tx, invitation, hash_secret(code)));
    return services::ShownOnce{.now = answer(code), .later = answer(std::nullopt)};
  };
  return db_.write(
      [&](sql::Tx& tx) {
        return services::create_once(tx, request, request.user().user_id, now, [&] { return create(tx); });
      },
      request.deadline);
}

Result<http::Response> AdminApi::list_invitations(http::Request& request) {
  EKIDEN_TRY(const auto invitations,
             db_.read([](sql::Tx& tx) { return user::list_invitations(tx); }, request.deadline));
  InvitationsView view;
  for (const Invitation& invitation : invitations) {
    view.items.push_back({.id = invitation.invitation_id,
                          .email = invitation.email,
                          .used = invitation.used,
                          .created_at = invitation.created_at,
                          .expires_at = invitation.expires_at});
  }
  return http::Response::json(200, json::write(view));
}

Result<http::Response> AdminApi::withdraw_invitation(http::Request& request) {
  const auto unknown = [] { return Error{Errc::not_found, "not-found", "there is no such invitation"}; };
  const auto id = InvitationId::parse(request.param("id"));
  if (!id) return unknown();
  EKIDEN_TRY(const bool deleted,
             db_.write([&](sql::Tx& tx) { return delete_invitation(tx, *id); }, request.deadline));
  if (!deleted) return unknown();
  return http::Response::no_content();
}

Result<http::Response> AdminApi::list_users(http::Request& request) {
  const http::QueryReader query(request, {"limit", "cursor"});
  EKIDEN_CHECK(query.check());
  EKIDEN_TRY(const std::int64_t limit, query.limit());
  EKIDEN_TRY(const auto position, query.cursor(cursors_, kUsersList));
  const UserId after{position ? Uuid::parse(*position).value_or(Uuid{}) : Uuid{}};
  EKIDEN_TRY(auto accounts,
             db_.read([&](sql::Tx& tx) { return list_accounts(tx, after, limit + 1); }, request.deadline));
  UsersView view;
  const bool more = std::cmp_greater(accounts.size(), limit);
  if (more) accounts.pop_back();
  for (const Account& account : accounts) view.items.push_back(me_view(account));
  if (more) view.next_cursor = cursors_.seal(kUsersList, accounts.back().user_id.to_string());
  return http::Response::json(200, json::write(view));
}

Result<http::Response> AdminApi::change_user(http::Request& request) {
  EKIDEN_TRY(const RoleBody body, json::read<RoleBody>(request.body));
  const auto role = http::parse_role(body.role);
  if (!role) return Error{Errc::invalid, "unknown-value", "give one of member, organizer, admin", "role"};
  const auto id = UserId::parse(request.param("id"));
  if (!id) return no_such_user();
  const Timestamp now = clock_.now();
  EKIDEN_TRY(const Account account,
             db_.write(
                 [&](sql::Tx& tx) -> Result<Account> {
                   EKIDEN_TRY(std::optional<Account> found, find_account(tx, *id));
                   if (!found) return no_such_user();
                   EKIDEN_CHECK(services::check_if_match(request, found->version));
                   if (found->role == *role) return *std::move(found);
                   found->role = *role;
                   found->version += 1;
                   found->changed_at = now;
                   EKIDEN_TRY(const bool updated, update_account(tx, *found));
                   if (!updated)
                     return Error{Errc::unavailable, "race-lost", "somebody changed this at the same moment"};
                   // An access token says the role: the next one, soon, says the new one.
                   EKIDEN_CHECK(outbox_.append(tx, changed(*found, request.trace.to_traceparent())));
                   return *std::move(found);
                 },
                 request.deadline));
  return http::Response::json(200, json::write(me_view(account)));
}

Result<http::Response> AdminApi::make_reset(http::Request& request) {
  const auto id = UserId::parse(request.param("id"));
  if (!id) return no_such_user();
  const Timestamp now = clock_.now();
  const std::string token = make_secret(random_, "ekp_");
  EKIDEN_CHECK(db_.write(
      [&](sql::Tx& tx) -> Result<void> {
        EKIDEN_TRY(const auto account, find_account(tx, *id));
        if (!account) return no_such_user();
        return insert_password_reset(tx, hash_secret(token), *id, now, now + config_.reset_ttl);
      },
      request.deadline));
  http::Response response = http::Response::json(
      201, json::write(ResetView{.token = token, .expires_at = now + config_.reset_ttl}));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

std::vector<http::Route> AdminApi::routes(AdminApi* api) {
  using http::Auth;
  using http::BodyPolicy;
  using http::RateClass;
  using http::Verb;
  const auto call = [api](Result<http::Response> (AdminApi::*method)(http::Request&)) {
    return http::BlockingHandler([api, method](http::Request& request) { return (api->*method)(request); });
  };
  return {
      {.verb = Verb::post,
       .pattern = "/api/v1/invitations",
       .handler = call(&AdminApi::invite),
       .auth = Auth::organizer,
       .rate_class = RateClass::write,
       .body = BodyPolicy::json(),
       .idempotent = http::Idempotent::yes,
       .doc = {.summary = "Invite somebody to register",
               .tag = "admin",
               .request_schema = json::schema_of<InvitationBody>,
               .response_schema = json::schema_of<NewInvitationView>,
               .success_status = 201}},
      {.verb = Verb::get,
       .pattern = "/api/v1/invitations",
       .handler = call(&AdminApi::list_invitations),
       .auth = Auth::organizer,
       .doc = {.summary = "Invitations",
               .tag = "admin",
               .response_schema = json::schema_of<InvitationsView>}},
      {.verb = Verb::del,
       .pattern = "/api/v1/invitations/{id}",
       .handler = call(&AdminApi::withdraw_invitation),
       .auth = Auth::organizer,
       .rate_class = RateClass::write,
       .doc = {.summary = "Withdraw an invitation", .tag = "admin", .success_status = 204}},
      {.verb = Verb::get,
       .pattern = "/api/v1/admin/users",
       .handler = call(&AdminApi::list_users),
       .auth = Auth::admin,
       .doc = {.summary = "All accounts",
               .tag = "admin",
               .response_schema = json::schema_of<UsersView>,
               .query_parameters = {"limit", "cursor"}}},
      {.verb = Verb::patch,
       .pattern = "/api/v1/admin/users/{id}",
       .handler = call(&AdminApi::change_user),
       .auth = Auth::admin,
       .rate_class = RateClass::write,
       .body = BodyPolicy::json(),
       .doc = {.summary = "Give somebody another role",
               .tag = "admin",
               .request_schema = json::schema_of<RoleBody>,
               .response_schema = json::schema_of<MeView>}},
      {.verb = Verb::post,
       .pattern = "/api/v1/admin/users/{id}/password-reset",
       .handler = call(&AdminApi::make_reset),
       .auth = Auth::admin,
       .rate_class = RateClass::write,
       .doc = {.summary = "Make a token with which somebody can set a new password, once, within 15 minutes",
               .tag = "admin",
               .response_schema = json::schema_of<ResetView>,
               .success_status = 201}},
  };
}

}  // namespace ekiden::user
