#pragma once

#include <vector>

#include "http/route.hpp"
#include "services/inventory/api/parts.hpp"
#include "services/inventory/domain/editing.hpp"

namespace ekiden::inventory {

/// `/gear`: what one has, what it has done, what is due. @threads the service's loops
class GearApi {
 public:
  explicit GearApi(const ApiParts& parts) : parts_(parts) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(GearApi* api);

 private:
  runtime::Task<Result<http::Response>> list(http::Request request);
  runtime::Task<Result<http::Response>> create(http::Request request);
  runtime::Task<Result<http::Response>> due(http::Request request);
  runtime::Task<Result<http::Response>> show(http::Request request);
  runtime::Task<Result<http::Response>> change(http::Request request);
  runtime::Task<Result<http::Response>> remove(http::Request request);
  runtime::Task<Result<http::Response>> months(http::Request request);

  Result<http::Response> insert(sql::Tx& tx, const http::Request& request, const CreateBody& body) const;
  Result<Gear> edit(sql::Tx& tx, const http::Request& request, const ChangeBody& body) const;

  ApiParts parts_;
};

/// The answer that shows a piece, with its ETag.
http::Response show_gear(int status, const Gear& gear);

}  // namespace ekiden::inventory
