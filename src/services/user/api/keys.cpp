#include "services/user/api/keys.hpp"

#include <algorithm>
#include <array>

#include <boost/describe.hpp>

#include "base/text.hpp"
#include "json/json.hpp"
#include "services/idempotency.hpp"
#include "services/user/domain/secret.hpp"
#include "services/user/store/keys.hpp"

namespace ekiden::user {

namespace {

/// What a key can be good for. Everything else needs a session.
constexpr std::array<std::string_view, 3> kScopes = {"uploads:write", "workouts:read", "leaderboards:read"};
/// A use is noted once in so long, or every upload would write here too.
constexpr std::chrono::minutes kUseNotedEvery{10};

struct KeyBody {
  std::string name;
  std::vector<std::string> scopes;
  std::optional<Timestamp> expires_at;
};
BOOST_DESCRIBE_STRUCT(KeyBody, (), (name, scopes, expires_at))

struct KeyView {
  ApiKeyId id;
  std::string name;
  std::vector<std::string> scopes;
  Timestamp created_at;
  std::optional<Timestamp> used_at;
  std::optional<Timestamp> expires_at;
};
BOOST_DESCRIBE_STRUCT(KeyView, (), (id, name, scopes, created_at, used_at, expires_at))

struct NewKeyView {
  ApiKeyId id;
  std::string name;
  std::vector<std::string> scopes;
  Timestamp created_at;
  std::optional<Timestamp> expires_at;
  std::optional<std::string> key;  ///< null in a repeated answer: it is shown once, and kept nowhere
};
BOOST_DESCRIBE_STRUCT(NewKeyView, (), (id, name, scopes, created_at, expires_at, key))

struct KeysView {
  std::vector<KeyView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(KeysView, (), (items, next_cursor))

struct ResolveBody {
  std::string key;
};
BOOST_DESCRIBE_STRUCT(ResolveBody, (), (key))

struct ResolvedView {
  UserId user_id;
  std::string role;
  std::vector<std::string> scopes;
};
BOOST_DESCRIBE_STRUCT(ResolvedView, (), (user_id, role, scopes))

KeyView view_of(const ApiKey& key) {
  return {.id = key.api_key_id,
          .name = key.name,
          .scopes = key.scopes,
          .created_at = key.created_at,
          .used_at = key.used_at,
          .expires_at = key.expires_at};
}

Result<ApiKey> key_of(KeyBody body, Timestamp now) {
  ApiKey key;
  EKIDEN_TRY(key.name, clean_text(body.name, "name", TextRules{.chars_min = 1, .chars_max = 80}));
  if (body.scopes.empty()) return Error{Errc::invalid, "empty", "give at least one scope", "scopes"};
  for (std::size_t i = 0; i < body.scopes.size(); ++i) {
    if (std::ranges::find(kScopes, body.scopes[i]) == kScopes.end()) {
      return Error{Errc::invalid, "unknown-scope",
                   "give scopes of uploads:write, workouts:read, leaderboards:read",
                   "scopes[" + std::to_string(i) + "]"};
    }
  }
  std::ranges::sort(body.scopes);
  body.scopes.erase(std::ranges::unique(body.scopes).begin(), body.scopes.end());
  if (body.expires_at && *body.expires_at <= now)
    return Error{Errc::invalid, "in-the-past", "give a time to come", "expires_at"};
  key.scopes = std::move(body.scopes);
  key.expires_at = body.expires_at;
  key.created_at = now;
  return key;
}

}  // namespace

Result<http::Response> KeysApi::create(http::Request& request) {
  EKIDEN_TRY(KeyBody body, json::read<KeyBody>(request.body));
  const Timestamp now = clock_.now();
  EKIDEN_TRY(ApiKey key, key_of(std::move(body), now));
  key.api_key_id = ids_.make<ApiKeyId>();
  key.user_id = request.user().user_id;
  const std::string secret = make_secret(random_, "eka_");
  const auto answer = [&key](std::optional<std::string> shown) {
    const NewKeyView view{.id = key.api_key_id,
                          .name = key.name,
                          .scopes = key.scopes,
                          .created_at = key.created_at,
                          .expires_at = key.expires_at,
                          .key = std::move(shown)};
    http::Response response = http::Response::json(201, json::write(view));
    response.headers.set("Cache-Control", "no-store");
    return response;
  };
  const auto insert = [&](sql::Tx& tx) -> Result<services::ShownOnce> {
    EKIDEN_TRY(const auto existing, api_keys_of(tx, key.user_id));
    if (static_cast<std::int64_t>(existing.size()) >= config_.api_keys_max) {
      return Error{Errc::conflict, "too-many-keys", "delete a key that is not used any more first"};
    }
    EKIDEN_CHECK(insert_api_key(tx, key, hash_secret(secret)));
    return services::ShownOnce{.now = answer(secret), .later = answer(std::nullopt)};
  };
  return db_.write(
      [&](sql::Tx& tx) {
        return services::create_once(tx, request, key.user_id, now, [&] { return insert(tx); });
      },
      request.deadline);
}

Result<http::Response> KeysApi::list(http::Request& request) {
  EKIDEN_TRY(const auto keys, db_.read([&](sql::Tx& tx) { return api_keys_of(tx, request.user().user_id); },
                                       request.deadline));
  KeysView view;
  for (const ApiKey& key : keys) view.items.push_back(view_of(key));
  return http::Response::json(200, json::write(view));
}

Result<http::Response> KeysApi::remove(http::Request& request) {
  const auto unknown = [] { return Error{Errc::not_found, "not-found", "there is no such key"}; };
  const auto id = ApiKeyId::parse(request.param("id"));
  if (!id) return unknown();
  EKIDEN_TRY(const bool deleted,
             db_.write([&](sql::Tx& tx) { return delete_api_key(tx, request.user().user_id, *id); },
                       request.deadline));
  if (!deleted) return unknown();
  return http::Response::no_content();
}

Result<http::Response> KeysApi::resolve(http::Request& request) {
  EKIDEN_TRY(const ResolveBody body, json::read<ResolveBody>(request.body));
  const Timestamp now = clock_.now();
  EKIDEN_TRY(const auto found,
             db_.read([&](sql::Tx& tx) { return resolve_api_key(tx, hash_secret(body.key), now); },
                      request.deadline));
  if (!found) return Error{Errc::not_found, "not-found", "there is no such key"};
  if (!found->key.used_at || *found->key.used_at + kUseNotedEvery < now) {
    EKIDEN_CHECK(db_.write([&](sql::Tx& tx) { return note_api_key_use(tx, found->key.api_key_id, now); },
                           request.deadline));
  }
  const ResolvedView view{.user_id = found->key.user_id, .role = found->role, .scopes = found->key.scopes};
  return http::Response::json(200, json::write(view));
}

std::vector<http::Route> KeysApi::routes(KeysApi* api) {
  using http::BodyPolicy;
  using http::RateClass;
  using http::Verb;
  const auto call = [api](Result<http::Response> (KeysApi::*method)(http::Request&)) {
    return http::BlockingHandler([api, method](http::Request& request) { return (api->*method)(request); });
  };
  return {
      {.verb = Verb::get,
       .pattern = "/api/v1/me/api-keys",
       .handler = call(&KeysApi::list),
       .doc = {.summary = "One's API keys", .tag = "me", .response_schema = json::schema_of<KeysView>}},
      {.verb = Verb::post,
       .pattern = "/api/v1/me/api-keys",
       .handler = call(&KeysApi::create),
       .rate_class = RateClass::write,
       .body = BodyPolicy::json(),
       .idempotent = http::Idempotent::yes,
       .doc = {.summary = "Make an API key; it is shown this once",
               .tag = "me",
               .request_schema = json::schema_of<KeyBody>,
               .response_schema = json::schema_of<NewKeyView>,
               .success_status = 201}},
      {.verb = Verb::del,
       .pattern = "/api/v1/me/api-keys/{id}",
       .handler = call(&KeysApi::remove),
       .rate_class = RateClass::write,
       .doc = {.summary = "Delete an API key", .tag = "me", .success_status = 204}},
      {.verb = Verb::post,
       .pattern = "/internal/user/api-keys/resolve",
       .handler = call(&KeysApi::resolve),
       .auth = http::Auth::internal,
       .rate_class = RateClass::none,
       .body = BodyPolicy::json(),
       .doc = {.summary = "Whose key this is",
               .tag = "internal",
               .request_schema = json::schema_of<ResolveBody>,
               .response_schema = json::schema_of<ResolvedView>}},
  };
}

}  // namespace ekiden::user
