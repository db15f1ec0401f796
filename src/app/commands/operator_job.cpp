#include "app/commands/operator_job.hpp"

#include <poll.h>

#include "runtime/job_queue.hpp"

namespace ekiden::app {

namespace {
/// Every process of a service looks for jobs each second.
constexpr std::chrono::seconds kTakenWithin{10};
}  // namespace

void wait_for_other_process(std::chrono::milliseconds moment) {
  ::poll(nullptr, 0, static_cast<int>(moment.count()));
}

Result<void> run_operator_job(Toolbox& tools, sql::Database& db, std::string_view kind,
                              std::chrono::seconds patience) {
  const runtime::JobQueue jobs(tools.clock(), tools.ids());
  const std::string key = tools.ids().next().to_string();
  EKIDEN_CHECK(db.write([&](sql::Tx& tx) -> Result<void> {
    EKIDEN_CHECK(jobs.enqueue(tx, {.kind = std::string(kind), .key = key}));
    return {};
  }));
  const Deadline deadline = Deadline::after(tools.clock(), patience);
  const Deadline taken = Deadline::after(tools.clock(), kTakenWithin);
  while (!deadline.passed(tools.clock())) {
    EKIDEN_TRY(const auto status, db.read([&](sql::Tx& tx) { return jobs.find(tx, kind, key); }));
    if (status && status->state == "done") return {};
    if (status && status->state == "dead")
      return Error{Errc::invalid, "job-failed", status->error.value_or("it failed")};
    if (status && status->state == "queued" && status->attempts == 0 && taken.passed(tools.clock())) {
      return Error{Errc::unavailable, std::string(kNobodyTakesJobs),
                   "no process of the service has begun it within ten seconds; the next that starts will"};
    }
    wait_for_other_process(std::chrono::milliseconds{50});
  }
  return Error{Errc::timeout, "job-unfinished", "the server has not done it yet; it goes on with it"};
}

}  // namespace ekiden::app
