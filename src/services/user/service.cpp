#include "services/user/service.hpp"

#include <memory>
#include <utility>

#include "delivery/outbox.hpp"
#include "events/users.hpp"
#include "services/user/api/admin.hpp"
#include "services/user/api/auth.hpp"
#include "services/user/api/keys.hpp"
#include "services/user/api/me.hpp"
#include "services/user/domain/events.hpp"
#include "services/user/domain/secret.hpp"
#include "services/user/store/keys.hpp"
#include "services/user/store/sweeps.hpp"

namespace ekiden::user {

namespace {

/// What the routes refer to. Destroyed after everything has stopped.
struct State {
  State(UserParts parts, UserConfig settings)
      : config(settings),
        hash_pool({.service = "user", .name = "argon2"},
                  {.threads = static_cast<std::size_t>(config.hash_threads),
                   .queue_max = static_cast<std::size_t>(config.hash_queue_max)},
                  parts.logger, parts.figures),
        hasher(hash_pool, {.memory_kib = static_cast<std::size_t>(config.hash_memory_kib),
                           .passes = static_cast<std::size_t>(config.hash_passes)}),
        outbox("user", events::kUsersTopic, parts.clock, parts.ids, parts.wake_relay),
        auth(parts.db, hasher, parts.signer, outbox, parts.clock, parts.ids, parts.random, config),
        me(parts.db, hasher, outbox, parts.clock),
        keys(parts.db, parts.clock, parts.ids, parts.random, config),
        admin(parts.db, outbox, parts.cursors, parts.clock, parts.ids, parts.random, config) {}

  const UserConfig config;
  runtime::CpuPool hash_pool;
  PasswordHasher hasher;
  delivery::Outbox outbox;
  AuthApi auth;
  MeApi me;
  KeysApi keys;
  AdminApi admin;
};

/// An account lives on; only its owner's sessions, tokens and old secrets pass.
Result<std::vector<std::string>> audit_sessions(sql::Database& db) {
  EKIDEN_TRY(const sql::Rows rows, db.read([](sql::Tx& tx) {
    return tx.query("SELECT COUNT(*) FROM users u JOIN erased_users e ON e.user_id = u.user_id");
  }));
  std::vector<std::string> findings;
  if (rows.at(0).integer(0) != 0)
    findings.push_back(std::to_string(rows.at(0).integer(0)) + " erased accounts are still there");
  return findings;
}

std::vector<http::Route> routes_of(AuthApi* auth, MeApi* me, KeysApi* keys, AdminApi* admin) {
  std::vector<http::Route> all;
  for (const auto& routes :
       {AuthApi::routes(auth), MeApi::routes(me), KeysApi::routes(keys), AdminApi::routes(admin)}) {
    all.insert(all.end(), routes.begin(), routes.end());
  }
  return all;
}

}  // namespace

std::vector<http::Route> routes(const UserConfig&) {
  return routes_of(nullptr, nullptr, nullptr, nullptr);
}

std::vector<sql::Migration> migrations() {
  return {
      delivery::kDeliveryMigration,
#include "migrations.inc"
  };
}

runtime::Model model(const UserConfig& config) {
  // One thread for each hash, and one that reads or writes for another sign-in meanwhile.
  return runtime::ThreadPool{.threads = static_cast<std::size_t>(config.request_threads),
                             .queue_max = static_cast<std::size_t>(config.request_queue_max),
                             .lanes = {{.name = kHashingLane,
                                        .threads = static_cast<std::size_t>(config.hash_threads) + 1,
                                        .queue_max = static_cast<std::size_t>(config.hash_queue_max)}}};
}

services::ServiceSpec user_service(UserParts parts, UserConfig config) {
  auto state = std::make_shared<State>(parts, config);
  services::ServiceSpec spec;
  spec.name = "user";
  spec.model = model(config);
  spec.migrations = migrations();
  spec.topics = {{.name = std::string(events::kUsersTopic)}};
  spec.routes = routes_of(&state->auth, &state->me, &state->keys, &state->admin);
  sql::Database& db = parts.db;
  spec.sweeps = sweeps();
  spec.audits = {{.name = "erased-accounts-stay-erased", .run = [&db](bool) { return audit_sessions(db); }}};
  spec.state = std::move(state);
  return spec;
}

Result<UserId> create_account(sql::Database& db, std::string_view email, std::string password,
                              http::Role role, const Clock& clock, Ids& ids, const UserConfig& config) {
  EKIDEN_TRY(std::string address, normalise_email(email));
  EKIDEN_CHECK(check_password(password, address, "password"));
  EKIDEN_TRY(std::string hash,
             hash_password(password, {.memory_kib = static_cast<std::size_t>(config.hash_memory_kib),
                                      .passes = static_cast<std::size_t>(config.hash_passes)}));
  const Timestamp now = clock.now();
  Account account{.user_id = ids.make<UserId>(),
                  .email = address,
                  .password_hash = std::move(hash),
                  .role = role,
                  .profile = {},
                  .version = 1,
                  .created_at = now,
                  .changed_at = now};
  account.profile.display_name = address.substr(0, address.find('@'));
  const delivery::Outbox outbox("user", events::kUsersTopic, clock, ids, [] {});
  EKIDEN_CHECK(db.write([&](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(const bool inserted, insert_account(tx, account));
    if (!inserted)
      return Error{Errc::conflict, "email-taken", "there is an account with this address", "email"};
    return outbox.append(tx, registered(account, {}));
  }));
  return account.user_id;
}

Result<std::string> create_password_reset(sql::Database& db, std::string_view email, const Clock& clock,
                                          Random& random, const UserConfig& config) {
  EKIDEN_TRY(const std::string address, normalise_email(email));
  std::string token = make_secret(random, "ekp_");
  const Timestamp now = clock.now();
  EKIDEN_CHECK(db.write([&](sql::Tx& tx) -> Result<void> {
    EKIDEN_TRY(const auto account, find_account_by_email(tx, address));
    if (!account)
      return Error{Errc::not_found, "not-found", "there is no account with this address", "email"};
    return insert_password_reset(tx, hash_secret(token), account->user_id, now, now + config.reset_ttl);
  }));
  return token;
}

}  // namespace ekiden::user
