#pragma once

#include <functional>
#include <vector>

#include "base/config.hpp"
#include "http/access_token.hpp"
#include "http/cursor.hpp"
#include "runtime/executor.hpp"
#include "services/service_spec.hpp"
#include "services/user/config.hpp"

namespace ekiden::user {

/// What the service works with; everything outlives it.
struct UserParts {
  sql::Database& db;
  const http::TokenSigner& signer;
  const http::CursorSealer& cursors;
  runtime::FiguresRegistry& figures;
  std::function<void()> wake_relay;
  const Clock& clock;
  Ids& ids;
  Random& random;
  Logger logger;
};

/// The service's steps of schema, in order: also for `ekiden migrate`.
std::vector<sql::Migration> migrations();

/// Its concurrency model: what answers its requests is made from it, before the service.
runtime::Model model(const UserConfig& config);

/// The service's routes without handlers: what a gateway in another process needs to know of them.
std::vector<http::Route> routes(const UserConfig& config);

services::ServiceSpec user_service(UserParts parts, UserConfig config);

/// Settings `user.*`: what they are, and the record they make.
std::vector<OptionInfo> options();
UserConfig read_config(const Config& config);

/// Makes an account without registration: for `ekiden admin create`, beside a running server.
/// @errors invalid: as registering; conflict: the address is taken.
Result<UserId> create_account(sql::Database& db, std::string_view email, std::string password,
                              http::Role role, const Clock& clock, Ids& ids, const UserConfig& config);
/// A token with which the owner of the address can set a new password. @errors not_found.
Result<std::string> create_password_reset(sql::Database& db, std::string_view email, const Clock& clock,
                                          Random& random, const UserConfig& config);

}  // namespace ekiden::user
