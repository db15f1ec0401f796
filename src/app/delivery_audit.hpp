#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "app/running_service.hpp"

namespace ekiden::app {

/// Waits until nothing is on its way: every outbox published, every group at the end of its topics.
/// @returns what is still on its way when `patience` is over: one sentence each.
Result<std::vector<std::string>> wait_until_quiet(const RunningServices& services, log::Log& log,
                                                  const Clock& clock, std::chrono::seconds patience);

/// Every event of an outbox is on the log, and the versions of each thing follow one another without a gap.
Result<std::vector<std::string>> outbox_is_on_the_log(const RunningService& service, log::Log& log,
                                                      const Clock& clock);

/// Every event on the log that a group handles is in its inbox; none is given up.
Result<std::vector<std::string>> inbox_has_every_event(const RunningService& service, log::Log& log,
                                                       const Clock& clock);

}  // namespace ekiden::app
