#pragma once

#include <string_view>

#include "http/message.hpp"

namespace ekiden::http {

/// A problem whose status does not follow from an Errc (408, 421, 431, 501, …). Same body as problem().
Response problem(int status, const Error& error, std::string_view request_id);

/// `Not Found` for 404; `Unknown` where RFC 9110 and its friends have no phrase.
std::string_view reason_phrase(int status);

}  // namespace ekiden::http
