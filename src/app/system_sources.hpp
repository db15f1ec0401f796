#pragma once

#include <memory>
#include <vector>

#include "app/service_set.hpp"
#include "services/gateway/system_api.hpp"

namespace ekiden::app {

/// What the system page and `/metrics` show of these services. Everything outlives the sources.
gateway::SystemSources system_sources(const std::vector<std::unique_ptr<RunningService>>& services,
                                      runtime::FiguresRegistry& figures, runtime::Metrics& metrics);

/// The program's version, as it is built.
std::string_view version();

}  // namespace ekiden::app
