#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "delivery/idempotency.hpp"
#include "delivery/outbox.hpp"
#include "http/cursor.hpp"
#include "http/route.hpp"
#include "runtime/job_queue.hpp"
#include "services/workout/api/originals.hpp"
#include "services/workout/domain/editing.hpp"
#include "services/workout/store/workouts.hpp"

namespace ekiden::workout {

/// What an API key needs for reading workouts.
inline constexpr std::string_view kReadScope = "workouts:read";

/// The workout of a request's path, where the caller may see it: a foreign one that is not public is answered
/// exactly as one that is not there. @errors not_found
Result<Workout> visible_workout(sql::Tx& tx, const std::string& id, UserId viewer);
/// The same for what only the owner may do.
Result<Workout> own_workout(sql::Tx& tx, const std::string& id, UserId owner);

struct WorkoutsParts {
  sql::Database& db;
  Originals& originals;
  const runtime::JobQueue& jobs;
  const delivery::Outbox& outbox;
  delivery::idempotency::InFlightKeys& keys;
  const http::CursorSealer& cursors;
  const Clock& clock;
  Ids& ids;
};

/// Workouts: list, enter by hand, show, change, delete. @threads loops
class WorkoutsApi {
 public:
  explicit WorkoutsApi(WorkoutsParts parts) : parts_(parts) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(WorkoutsApi* api);

 private:
  struct Change;  ///< one edit on its way
  using ChangePtr = std::shared_ptr<Change>;

  runtime::Task<Result<http::Response>> list(http::Request request);
  runtime::Task<Result<http::Response>> create(http::Request request);
  runtime::Task<Result<http::Response>> show(http::Request request);
  runtime::Task<Result<http::Response>> change(http::Request request);
  runtime::Task<Result<http::Response>> remove(http::Request request);

  runtime::Task<Result<Workout>> try_change(ChangePtr change);
  Result<void> write_change(sql::Tx& tx, const Change& change) const;
  Result<http::Response> insert(sql::Tx& tx, const http::Request& request, const CreateBody& body) const;

  WorkoutsParts parts_;
};

}  // namespace ekiden::workout
