#pragma once

#include <vector>

#include "delivery/outbox.hpp"
#include "http/route.hpp"
#include "services/user/config.hpp"
#include "services/user/domain/password_hasher.hpp"
#include "services/user/store/accounts.hpp"

namespace ekiden::user {

/// One's own account, and how others see it. Members outlive the routes. @threads any
class MeApi {
 public:
  MeApi(sql::Database& db, PasswordHasher& hasher, const delivery::Outbox& outbox, const Clock& clock)
      : db_(db), hasher_(hasher), outbox_(outbox), clock_(clock) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(MeApi* api);

 private:
  Result<http::Response> show(http::Request& request);
  Result<http::Response> change(http::Request& request);
  Result<http::Response> erase(http::Request& request);
  Result<http::Response> change_password(http::Request& request);
  Result<http::Response> list_sessions(http::Request& request);
  Result<http::Response> end_session(http::Request& request);
  Result<http::Response> end_other_sessions(http::Request& request);
  Result<void> end_others(sql::Tx& tx, const http::Request& request);
  Result<http::Response> show_person(http::Request& request);

  sql::Database& db_;
  PasswordHasher& hasher_;
  const delivery::Outbox& outbox_;
  const Clock& clock_;
};

}  // namespace ekiden::user
