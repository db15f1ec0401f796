#pragma once

#include <string>
#include <string_view>

#include "http/answer_framing.hpp"
#include "http/message.hpp"

// What is passed on of a request's and an answer's fields. Pure.
namespace ekiden::gateway {

void append_field(std::string& out, std::string_view name, std::string_view value);

/// Appends a request line, the host, and those of the client's fields that go on: not what concerns its
/// connection only, what the gateway itself says, and its proofs of who it is.
/// @param fields pairs or FieldViews.  @param connection the value of the Connection field.
template <class Fields>
void append_request(std::string& out, http::Verb verb, std::string_view target, const Fields& fields,
                    std::string_view connection);

/// True for a field of a process's answer that goes on to the client.
bool goes_on(const http::FieldView& field, const http::AnswerView& head);

bool is_own_request_field(std::string_view name);

template <class Fields>
void append_request(std::string& out, http::Verb verb, std::string_view target, const Fields& fields,
                    std::string_view connection) {
  out += http::to_string(verb);
  out += ' ';
  out += target;
  out += " HTTP/1.1\r\nHost: ekiden.internal\r\n";
  for (const auto& [name, value] : fields) {
    if (!is_own_request_field(name) && !http::is_hop_by_hop(name, connection)) append_field(out, name, value);
  }
}

}  // namespace ekiden::gateway
