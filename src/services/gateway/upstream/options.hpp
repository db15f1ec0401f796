#pragma once

#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "services/gateway/upstream/config.hpp"

namespace ekiden::gateway {

/// Settings `upstream.*`: where each of these services runs, and how its processes are called.
std::vector<OptionInfo> upstream_options(const std::vector<std::string_view>& services);
UpstreamConfig read_upstream_config(const Config& config, const std::vector<std::string_view>& services);

}  // namespace ekiden::gateway
