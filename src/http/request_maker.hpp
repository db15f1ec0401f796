#pragma once

#include "http/loop.hpp"

namespace ekiden::http {

/// What is known of a request beside its head.
struct Arrival {
  std::string client_address;
  std::string request_id;  ///< ours
  bool is_trusted_peer = false;
  std::optional<TraceContext> trace{};  ///< our step, where it was begun already
};

/// Our step of the trace that the head names, or of a new one.
TraceContext begin_trace(const HeadView& head, const ServerConfig& config, RequestIds& ids);
/// The request's id: the one it brings, where that comes from a part of Ekiden or a proxy of ours.
std::string_view id_of(const HeadView& head, bool is_trusted, std::string_view own);

/// Makes the Request of a parsed head: target decoded, deadline and trace context read, fields dropped that
/// only our own parts may send.
/// @errors malformed  `bad-path`, `bad-query`, `bad-deadline`.
///         timeout    `deadline-exceeded`: nobody waits for the answer any more.
Result<Request> make_request(const HeadView& head, Arrival arrival, const ServerConfig& config,
                             const Clock& clock, RequestIds& ids);

constexpr std::string_view kTimeoutHeader = "Ekiden-Timeout-Ms";

}  // namespace ekiden::http
