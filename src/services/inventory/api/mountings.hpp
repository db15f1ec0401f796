#pragma once

#include <vector>

#include "http/route.hpp"
#include "services/inventory/api/parts.hpp"
#include "services/inventory/domain/editing.hpp"

namespace ekiden::inventory {

/// `/gear/{id}/mountings`: which part was on which bike, and when. A part has what its bikes did meanwhile,
/// also where that is entered or changed later. @threads the service's loops
class MountingsApi {
 public:
  explicit MountingsApi(const ApiParts& parts) : parts_(parts) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(MountingsApi* api);

 private:
  runtime::Task<Result<http::Response>> list(http::Request request);
  runtime::Task<Result<http::Response>> create(http::Request request);
  runtime::Task<Result<http::Response>> show(http::Request request);
  runtime::Task<Result<http::Response>> change(http::Request request);
  runtime::Task<Result<http::Response>> remove(http::Request request);

  Result<http::Response> insert(sql::Tx& tx, const http::Request& request, const MountBody& body) const;
  Result<Mounting> edit(sql::Tx& tx, const http::Request& request, const MountChangeBody& body) const;

  ApiParts parts_;
};

}  // namespace ekiden::inventory
