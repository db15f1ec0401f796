#pragma once

#include <memory>
#include <string>

#include "http/server.hpp"
#include "runtime/task.hpp"
#include "services/gateway/upstream/forward.hpp"

namespace ekiden::gateway {

/// True where the request asks for a WebSocket.
bool wants_websocket(const http::Request& request);

/// Sends the client's handshake on and, where the process agrees, passes bytes both ways until either side
/// ends: at most one piece of 16 KiB waits in each direction. Where it does not agree, the client gets its
/// answer. The connection is its own: it does not count among those for calls.
/// @param call of the handshake, without Connection and Upgrade.
/// @param trial outlives the tunnel; its verdict is given.
/// @param until when the process must have answered the handshake.
runtime::Task<> run_tunnel(std::shared_ptr<Lane> lane, Trial& trial, Call call, Instant until,
                           http::UpgradedConnection client);

/// Answers an upgraded connection with a problem, and closes it.
runtime::Task<> refuse_upgrade(http::UpgradedConnection client, Error error);

}  // namespace ekiden::gateway
