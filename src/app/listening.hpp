#pragma once

#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "app/service_set.hpp"
#include "http/server.hpp"
#include "runtime/loop_executor.hpp"

namespace ekiden::app {

/// How this process listens, as the configuration says. Throws std::runtime_error where a network is none.
/// @param name what the server calls itself in a trace
http::ServerConfig server_config_of(const ProcessParts& process, std::string_view name);

std::vector<boost::asio::any_io_executor> executors_of(const runtime::LoopExecutor& loops);

/// Says on every answer that it is its connection's last, and returns when whoever balances over this process
/// has had `delay` to find out that it ends.
void send_away(http::Server& server, runtime::LoopExecutor& loops, Duration delay);

}  // namespace ekiden::app
