#include "http/request_maker.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/id.hpp"
#include "http/target.hpp"
#include "http/text.hpp"

namespace ekiden::http {
namespace {

/// Only our own parts say who somebody is; from outside such a field is a lie.
bool is_reserved(std::string_view name) {
  return equal_no_case(name, "X-User-Id") || equal_no_case(name, "X-Request-Id") ||
         starts_with_no_case(name, "X-Internal-");
}

Result<Deadline> read_deadline(const HeadView& head, const ServerConfig& config, const Clock& clock) {
  std::chrono::milliseconds left = config.request_timeout_max;
  if (head.count(kTimeoutHeader) > 0) {
    const Error bad{Errc::malformed, "bad-deadline", "Ekiden-Timeout-Ms is a whole number of milliseconds."};
    const std::string_view text = head.get(kTimeoutHeader);
    if (head.count(kTimeoutHeader) > 1 || text.empty() || !std::ranges::all_of(text, is_digit)) return bad;
    std::int64_t millis = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), millis);
    // Too many digits for 64 bits is a long time all the same.
    if (error == std::errc{}) left = std::min(left, std::chrono::milliseconds{millis});
  }
  if (left.count() == 0)
    return Error{Errc::timeout, "deadline-exceeded",
                 "The request came when its time was up already: it was not run."};
  return Deadline::after(clock, left);
}

}  // namespace

TraceContext begin_trace(const HeadView& head, const ServerConfig& config, RequestIds& ids) {
  std::optional<TraceContext> trace;
  if (head.count("traceparent") == 1) trace = TraceContext::parse(head.get("traceparent"));
  if (!trace)
    trace = TraceContext{.trace_id = ids.hex(32), .span_id = {}, .sampled = ids.chance(config.traced_share)};
  trace->parent_span_id = std::exchange(trace->span_id, ids.hex(16));  // our own step, in either case
  return *std::move(trace);
}

std::string_view id_of(const HeadView& head, bool is_trusted, std::string_view own) {
  if (!is_trusted) return own;
  const std::string_view given = head.get("X-Request-Id");
  return Uuid::parse(given) ? given : own;
}

Result<Request> make_request(const HeadView& head, Arrival arrival, const ServerConfig& config,
                             const Clock& clock, RequestIds& ids) {
  Request request;
  request.verb = head.verb;
  request.target = std::string(head.target);
  request.client_address = std::move(arrival.client_address);
  if (head.target == "*") {
    request.path = "*";
  } else {
    EKIDEN_TRY(Target target, parse_target(head.target));
    request.path = std::move(target.path);
    request.query = std::move(target.query);
  }
  const bool keeps_all = config.is_internal;
  for (const FieldView& field : head.fields()) {
    if (keeps_all || !is_reserved(field.name))
      request.headers.add(std::string(field.name), std::string(field.value));
  }
  request.request_id = id_of(head, keeps_all || arrival.is_trusted_peer, arrival.request_id);
  request.trace = arrival.trace ? *std::move(arrival.trace) : begin_trace(head, config, ids);
  EKIDEN_TRY(request.deadline, read_deadline(head, config, clock));
  return request;
}

}  // namespace ekiden::http
