#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/logger.hpp"
#include "http/server.hpp"

namespace ekiden::app {

/// What concerns the process as a whole.
struct ProcessConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  LogLevel log_level = LogLevel::info;
  std::chrono::milliseconds grace{20'000};
  std::vector<std::string> trusted_proxies;
  std::int64_t proxy_hops = 1;
  std::int64_t connections_max = 16'384;
  std::int64_t disk_threads = 2;
  std::string cluster_keys;  ///< a folder; empty: this process is the whole installation
  std::chrono::milliseconds clock_skew{30'000};
  std::chrono::milliseconds drain_delay{3'000};  ///< of a process of a cluster
  std::string traces_endpoint;                   ///< empty: no traces
  double traced_share = 0;
};

/// Every option of the program: the process's, the adapters', the services'.
ConfigSchema schema();
ProcessConfig read_process_config(const Config& config);
/// Tells this process from others of the same services, and is the same after a restart: a consumer group
/// then gives it back what it had.
std::string member_name(const Config& config);

}  // namespace ekiden::app
