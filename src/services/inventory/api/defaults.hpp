#pragma once

#include <vector>

#include "http/route.hpp"
#include "services/inventory/api/parts.hpp"
#include "services/inventory/domain/editing.hpp"

namespace ekiden::inventory {

/// `/gear/defaults`: what workouts of a sport count for that name no gear. @threads the service's loops
class DefaultsApi {
 public:
  explicit DefaultsApi(const ApiParts& parts) : parts_(parts) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(DefaultsApi* api);

 private:
  runtime::Task<Result<http::Response>> show(http::Request request);
  runtime::Task<Result<http::Response>> replace(http::Request request);

  ApiParts parts_;
};

}  // namespace ekiden::inventory
