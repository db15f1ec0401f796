#pragma once

#include "http/loop.hpp"

namespace ekiden::http {

/// What is known of a request beside its head.
struct Arrival {
  std::string client_address;
  std::string request_id;  ///< ours
  bool is_trusted_peer = false;
};

/// Makes the Request of a parsed head: target decoded, deadline and trace context read, fields dropped that
/// only our own parts may send.
/// @errors malformed  `bad-path`, `bad-query`, `bad-deadline`.
///         timeout    `deadline-exceeded`: nobody waits for the answer any more.
Result<Request> make_request(const HeadView& head, Arrival arrival, const ServerConfig& config,
                             const Clock& clock, RequestIds& ids);

constexpr std::string_view kTimeoutHeader = "Ekiden-Timeout-Ms";

}  // namespace ekiden::http
