#pragma once

#include <memory>
#include <vector>

#include "delivery/idempotency.hpp"
#include "http/cursor.hpp"
#include "http/route.hpp"
#include "runtime/job_queue.hpp"
#include "runtime/worker_pool.hpp"
#include "services/workout/config.hpp"
#include "services/workout/domain/upload.hpp"
#include "services/workout/jobs/read_ahead.hpp"

namespace ekiden::workout {

struct UploadsParts {
  sql::Database& db;
  blobs::Blobs& blobs;
  runtime::WorkerPool& disk;
  ReadAhead& ahead;
  const runtime::JobQueue& jobs;
  delivery::idempotency::InFlightKeys& keys;
  const http::CursorSealer& cursors;
  const Clock& clock;
  Ids& ids;
};

/// Takes files in. The answer 202 means that the files and the upload's row are durable. @threads loops
class UploadsApi {
 public:
  UploadsApi(UploadsParts parts, const WorkoutConfig& config) : parts_(parts), config_(config) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(UploadsApi* api, const WorkoutConfig& config);

 private:
  struct Received;  ///< one request on its way in
  using ReceivedPtr = std::shared_ptr<Received>;

  runtime::Task<Result<http::Response>> create(http::Request request);
  runtime::Task<Result<http::Response>> show(http::Request request);
  runtime::Task<Result<http::Response>> list(http::Request request);

  runtime::Task<Result<http::Response>> keep(ReceivedPtr received);
  runtime::Task<Result<http::Response>> write_rows(ReceivedPtr received);
  void read_ahead(const ReceivedPtr& received) const;
  void forget_read(const Received& received) const;
  runtime::Task<void> forget_files(ReceivedPtr received);
  Result<void> store_files(Received& received) const;
  Result<http::Response> accept(sql::Tx& tx, Received& received) const;
  Result<void> claim(sql::Tx& tx, Received& received) const;
  Result<void> check_room(sql::Tx& tx, const Received& received) const;
  Result<http::Response> insert(sql::Tx& tx, Received& received) const;

  UploadsParts parts_;
  WorkoutConfig config_;
};

}  // namespace ekiden::workout
