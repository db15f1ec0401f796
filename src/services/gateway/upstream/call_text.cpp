#include "services/gateway/upstream/call_text.hpp"

#include "http/request_maker.hpp"
#include "http/text.hpp"

namespace ekiden::gateway {

namespace {

/// What the gateway's server puts on every answer itself.
bool is_own_answer_field(std::string_view name) {
  for (const std::string_view own :
       {"Date", "Server", "X-Request-Id", "X-Content-Type-Options", "Referrer-Policy", "Content-Length"}) {
    if (http::equal_no_case(name, own)) return true;
  }
  return false;
}

}  // namespace

bool goes_on(const http::FieldView& field, const http::AnswerView& head) {
  return !is_own_answer_field(field.name) && !http::is_hop_by_hop(field.name, head.connection);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

/// What a process is told by the gateway alone, and what it need not know.
bool is_own_request_field(std::string_view name) {
  if (http::equal_no_case(name, http::kTimeoutHeader)) return true;
  for (const std::string_view own :
       {"Host", "Content-Length", "Expect", "traceparent", "X-Request-Id", "X-Forwarded-For", "Forwarded",
        "Authorization", "X-Api-Key", "X-User-Id"}) {
    if (http::equal_no_case(name, own)) return true;
  }
  return http::starts_with_no_case(name, "X-Internal-");
}

}  // namespace ekiden::gateway
