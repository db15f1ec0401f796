#pragma once

#include <vector>

#include "base/config.hpp"
#include "runtime/model.hpp"
#include "services/gateway/config.hpp"

namespace ekiden::gateway {

/// Settings `limits.*` and `gateway.*`: what they are, and the record they make.
std::vector<OptionInfo> options();
GatewayConfig read_config(const Config& config);

/// Its concurrency model: the loops on which connections live.
runtime::Model model(const GatewayConfig& config);

}  // namespace ekiden::gateway
