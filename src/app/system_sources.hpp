#pragma once

#include "app/running_service.hpp"
#include "services/gateway/system_api.hpp"

namespace ekiden::app {

/// What the system page and `/metrics` show of these services. Everything outlives the sources.
gateway::SystemSources system_sources(const RunningServices& services, const ProcessParts& process);

/// The program's version, as it is built.
std::string_view version();

}  // namespace ekiden::app
