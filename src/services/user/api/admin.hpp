#pragma once

#include <vector>

#include "delivery/outbox.hpp"
#include "http/cursor.hpp"
#include "http/route.hpp"
#include "services/user/config.hpp"
#include "services/user/store/accounts.hpp"

namespace ekiden::user {

/// What administrators and organizers do to accounts: invitations, roles, reset links.
/// Members outlive the routes. @threads any
class AdminApi {
 public:
  AdminApi(sql::Database& db, const delivery::Outbox& outbox, const http::CursorSealer& cursors,
           const Clock& clock, Ids& ids, Random& random, const UserConfig& config)
      : db_(db),
        outbox_(outbox),
        cursors_(cursors),
        clock_(clock),
        ids_(ids),
        random_(random),
        config_(config) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(AdminApi* api);

 private:
  Result<http::Response> invite(http::Request& request);
  Result<http::Response> list_invitations(http::Request& request);
  Result<http::Response> withdraw_invitation(http::Request& request);
  Result<http::Response> list_users(http::Request& request);
  Result<http::Response> change_user(http::Request& request);
  Result<http::Response> make_reset(http::Request& request);

  sql::Database& db_;
  const delivery::Outbox& outbox_;
  const http::CursorSealer& cursors_;
  const Clock& clock_;
  Ids& ids_;
  Random& random_;
  const UserConfig& config_;
};

}  // namespace ekiden::user
