#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ekiden::redis {

/// Where a server is, and as whom one speaks to it.
struct Address {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user{};      ///< empty: the default user
  std::string password{};  ///< empty: none is asked for
  std::int64_t database = 0;
  bool tls = false;
  friend bool operator==(const Address&, const Address&) = default;
};

/// Reads `redis://[[user]:password@]host[:port][/database]`, or `rediss://` for TLS. User and password may be
/// percent-encoded; an IPv6 address stands in brackets.
/// @errors invalid: anything else. The text of the error holds nothing of the URL: it may have a password.
Result<Address> parse_url(std::string_view url);

}  // namespace ekiden::redis
