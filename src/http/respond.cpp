#include "http/respond.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "http/problem.hpp"
#include "http/text.hpp"

namespace ekiden::http {
namespace {

void append_number(std::string& out, std::int64_t value) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end);
}

void append_status(std::string& out, int status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, status);
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
}

void append_frame(std::string& out, const AnswerFrame& frame) {
  out += frame.common;
  if (!frame.request_id.empty()) {
    out += "X-Request-Id: ";
    out += frame.request_id;
    out += "\r\n";
  }
  if (!frame.keep_alive) {
    out += "Connection: close\r\n";
  } else if (frame.version_minor == 0) {
    out += "Connection: keep-alive\r\n";
  }
}

/// Fields that frame the message are the server's alone.
bool is_own(std::string_view name) {
  for (const std::string_view own :
       {"Content-Length", "Transfer-Encoding", "Connection", "Date", "Server", "X-Request-Id"}) {
    if (equal_no_case(name, own)) return true;
  }
  return false;
}

bool may_stand(std::string_view name, std::string_view value) {
  const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  return !name.empty() && std::ranges::all_of(name, is_token_char) && std::ranges::none_of(value, breaks) &&
         !is_own(name);
}

}  // namespace

void append_head(std::string& out, const Response& response, std::optional<std::int64_t> length,
                 const AnswerFrame& frame) {
  append_status(out, response.status);
  append_frame(out, frame);
  for (const auto& [name, value] : response.headers.all()) {
    if (!may_stand(name, value)) continue;
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  // 204 and 304 have no body and say nothing about one.
  const bool has_body = response.status >= 200 && response.status != 204 && response.status != 304;
  if (has_body && length) {
    out += "Content-Length: ";
    append_number(out, *length);
    out += "\r\n";
  } else if (has_body && frame.version_minor == 1) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  out += "\r\n";
}

void append_fast(std::string& out, const FastReply& reply, const AnswerFrame& frame) {
  append_status(out, reply.status);
  append_frame(out, frame);
  out += reply.headers;
  if (reply.status != 204 && reply.status != 304) {
    out += "Content-Type: ";
    out += reply.content_type;
    out += "\r\nContent-Length: ";
    append_number(out, static_cast<std::int64_t>(reply.body.size()));
    out += "\r\n";
  }
  out += "\r\n";
  if (!frame.is_head) out += reply.body;
}

void append_whole(std::string& out, const WholeAnswer& answer, const AnswerFrame& frame) {
  append_status(out, answer.status);
  append_frame(out, frame);
  out += answer.fields;
  if (answer.status == 204 || answer.status == 304) {
    out += "\r\n";
    return;
  }
  out += "Content-Length: ";
  append_number(out, static_cast<std::int64_t>(answer.body.size()));
  out += "\r\n\r\n";
  out += answer.body;
}

void append_chunk(std::string& out, std::string_view data) {
  std::array<char, 16> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), data.size(), 16);
  out.append(digits.data(), end);
  out += "\r\n";
  out += data;
  out += "\r\n";
}

}  // namespace ekiden::http
