#pragma once

#include <memory>
#include <vector>

#include "http/route.hpp"
#include "services/inventory/api/parts.hpp"

namespace ekiden::inventory {

/// `/gear/{id}/photo`. A photo is a blob of its own, even where two are alike: its owner's id stands before
/// the image, so removing one takes nothing from anyone. @threads the service's loops
class PhotoApi {
 public:
  explicit PhotoApi(const ApiParts& parts) : parts_(parts) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(PhotoApi* api, const InventoryConfig& config);

 private:
  struct Received;  ///< one photo on its way
  using ReceivedPtr = std::shared_ptr<Received>;

  runtime::Task<Result<http::Response>> show(http::Request request);
  runtime::Task<Result<http::Response>> put(http::Request request);
  runtime::Task<Result<http::Response>> remove(http::Request request);

  Result<void> read_image(Received& received) const;
  Result<void> store_image(const Received& received) const;
  Result<Gear> attach(sql::Tx& tx, const Received& received) const;

  ApiParts parts_;
};

}  // namespace ekiden::inventory
