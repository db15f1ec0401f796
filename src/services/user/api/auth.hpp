#pragma once

#include <string>
#include <vector>

#include "base/logger.hpp"
#include "delivery/outbox.hpp"
#include "http/access_token.hpp"
#include "http/route.hpp"
#include "services/user/config.hpp"
#include "services/user/domain/password_hasher.hpp"
#include "services/user/store/accounts.hpp"
#include "services/user/store/sessions.hpp"

namespace ekiden::user {

/// Registering, signing in and out, renewing tokens, setting a new password by a reset link.
/// Members outlive the routes. @threads any
class AuthApi {
 public:
  AuthApi(sql::Database& db, PasswordHasher& hasher, const http::TokenSigner& signer,
          const delivery::Outbox& outbox, const Clock& clock, Ids& ids, Random& random,
          const UserConfig& config)
      : db_(db),
        hasher_(hasher),
        signer_(signer),
        outbox_(outbox),
        clock_(clock),
        ids_(ids),
        random_(random),
        config_(config) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(AuthApi* api);

 private:
  Result<http::Response> register_account(http::Request& request);
  Result<http::Response> login(http::Request& request);
  Result<http::Response> refresh(http::Request& request);
  Result<http::Response> logout(http::Request& request);
  Result<http::Response> reset_password(http::Request& request);

  /// The account where address and password fit. Wrong passwords and unknown addresses take the same time,
  /// and get the same answer.
  Result<Account> authenticate(const std::string& email, const std::string& password, Deadline deadline);
  Result<http::Response> open_session(const http::Request& request, const Account& account);
  http::Response tokens(const Account& account, SessionId session_id, const std::string& refresh_token,
                        Timestamp now) const;

  sql::Database& db_;
  PasswordHasher& hasher_;
  const http::TokenSigner& signer_;
  const delivery::Outbox& outbox_;
  const Clock& clock_;
  Ids& ids_;
  Random& random_;
  const UserConfig& config_;
};

}  // namespace ekiden::user
