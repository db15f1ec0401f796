#pragma once

#include <vector>

#include "base/config.hpp"
#include "services/gateway/config.hpp"

namespace ekiden::gateway {

/// Settings `limits.*` and `gateway.*`: what they are, and the record they make.
std::vector<OptionInfo> options();
GatewayConfig read_config(const Config& config);

}  // namespace ekiden::gateway
