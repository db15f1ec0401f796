#pragma once

#include <vector>

#include "http/route.hpp"
#include "ports/sql/sql.hpp"
#include "services/user/config.hpp"

namespace ekiden::user {

/// API keys for programs that upload, and the call by which the gateway finds out whose a key is.
/// Members outlive the routes. @threads any
class KeysApi {
 public:
  KeysApi(sql::Database& db, const Clock& clock, Ids& ids, Random& random, const UserConfig& config)
      : db_(db), clock_(clock), ids_(ids), random_(random), config_(config) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(KeysApi* api);

 private:
  Result<http::Response> create(http::Request& request);
  Result<http::Response> list(http::Request& request);
  Result<http::Response> remove(http::Request& request);
  Result<http::Response> resolve(http::Request& request);

  sql::Database& db_;
  const Clock& clock_;
  Ids& ids_;
  Random& random_;
  const UserConfig& config_;
};

}  // namespace ekiden::user
