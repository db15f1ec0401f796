#pragma once

#include <vector>

#include "http/route.hpp"
#include "services/workout/api/originals.hpp"
#include "services/workout/store/workouts.hpp"

namespace ekiden::workout {

/// What lies below a workout: samples, laps, splits, the file itself, and the same in other formats. @threads
/// loops
class StreamsApi {
 public:
  StreamsApi(sql::Database& db, Originals& originals, runtime::WorkerPool& cpu)
      : db_(db), originals_(originals), cpu_(cpu) {}

  /// @param api whose handlers they are; null where only their columns are asked for, as by a gateway.
  static std::vector<http::Route> routes(StreamsApi* api);

 private:
  using Find = Result<std::optional<std::string>> (*)(sql::Tx&, WorkoutId);
  using Write = std::string (*)(const activity::Activity&);

  struct Sampled {
    Workout workout;
    std::string samples;  ///< empty: it has none
  };
  runtime::Task<Result<Sampled>> load(std::string id, UserId viewer, Deadline deadline);
  runtime::Task<Result<http::Response>> details(http::Request request, Find find, std::string_view none);
  runtime::Task<Result<http::Response>> exported(http::Request request, Write write, std::string_view type,
                                                 std::string_view extension);

  runtime::Task<Result<http::Response>> streams(http::Request request);
  runtime::Task<Result<http::Response>> laps(http::Request request);
  runtime::Task<Result<http::Response>> splits(http::Request request);
  runtime::Task<Result<http::Response>> original(http::Request request);
  runtime::Task<Result<http::Response>> export_gpx(http::Request request);
  runtime::Task<Result<http::Response>> export_tcx(http::Request request);

  sql::Database& db_;
  Originals& originals_;
  runtime::WorkerPool& cpu_;
};

/// A Content-Disposition that saves as `name`, whatever is in it. @source RFC 6266, RFC 8187
std::string attachment(std::string_view name);

}  // namespace ekiden::workout
