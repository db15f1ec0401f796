#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "runtime/worker_thread.hpp"
#include "services/gamification/projection.hpp"
#include "services/gamification/store/writers.hpp"

namespace ekiden::gamification {

/// Watches over the ranking, in a thread of its own: offers what waits, asks whether the store has forgotten,
/// and has it rebuilt where it has, where changes were dropped, or where a process that wrote the ledger has
/// ended without having told the ranking everything. Several processes may do so: one of them rebuilds.
/// @threads one, but for `start` and `stop`
class Keeper {
 public:
  /// @param writer names this process, anew at every start.
  Keeper(sql::Database& db, ranking::Ranking& ranking, Projection& projection, std::string writer,
         const Clock& clock, const Logger& logger);
  /// Offers what waits, and says that nothing does. After everything else of the service has ended.
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// Before the first event: writes down that this process writes, and makes the ranking whole or leaves that
  /// to the thread. @errors as Database; and where the ranking is in this process alone, as
  /// Projection::rebuild.
  Result<void> enter();
  void start();
  void stop();

  /// One round of the thread. @errors the first that it met; the rest was done all the same.
  Result<void> tend();

 private:
  Result<void> renew();
  Result<std::vector<Writer>> lost();
  Result<void> rebuild_where_needed();
  void run(std::stop_token stop);

  sql::Database& db_;
  ranking::Ranking& ranking_;
  Projection& projection_;
  const std::string writer_;
  const Clock& clock_;
  const Logger logger_;
  Timestamp lease_end_{};
  bool entered_ = false;
  Mutex mutex_;
  CondVar stopped_;
  std::unique_ptr<runtime::WorkerThread> thread_;
};

}  // namespace ekiden::gamification
