#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "http/server.hpp"

namespace ekiden::http {

/// What the server adds to every answer.
struct AnswerFrame {
  std::string_view common;      ///< ready header lines: Date, Server, security
  std::string_view request_id;  ///< empty: none
  int version_minor = 1;
  bool keep_alive = true;
  bool is_head = false;
};

/// Appends status line and headers of `response`, ending in the empty line. Names and values with CR, LF or
/// NUL are left out: a handler's data never splits an answer.
/// @param length of the body; nullopt: chunked (HTTP/1.1) or until the end of the connection.
void append_head(std::string& out, const Response& response, std::optional<std::int64_t> length,
                 const AnswerFrame& frame);
/// Appends a whole fast answer.
void append_fast(std::string& out, const FastReply& reply, const AnswerFrame& frame);
/// Appends a whole answer of which somebody else wrote the fields.
void append_whole(std::string& out, const WholeAnswer& answer, const AnswerFrame& frame);
void append_chunk(std::string& out, std::string_view data);

}  // namespace ekiden::http
