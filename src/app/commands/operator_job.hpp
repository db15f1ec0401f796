#pragma once

#include <chrono>
#include <string_view>

#include "app/commands/toolbox.hpp"

namespace ekiden::app {

/// Slug of `unavailable` where a job was left lying.
inline constexpr std::string_view kNobodyTakesJobs = "nobody-takes-jobs";

/// Orders a job of the running server through the service's table of jobs, and waits for its end.
/// @errors the job's own; timeout: it has not ended within `patience`; it goes on. unavailable
///         `nobody-takes-jobs`: no process has begun it within ten seconds; the next that starts will.
Result<void> run_operator_job(Toolbox& tools, sql::Database& db, std::string_view kind,
                              std::chrono::seconds patience);

/// Waits a moment between two looks at what another process does: nothing can wake us for that.
void wait_for_other_process(std::chrono::milliseconds moment);

}  // namespace ekiden::app
