#include "ports/redis_client/url.hpp"

#include <charconv>
#include <optional>

namespace ekiden::redis {
namespace {

Error bad_url() {
  return {Errc::invalid, "bad-redis-url", "write redis://[[user]:password@]host[:port][/database]", "url"};
}

template <class T>
bool read_number(std::string_view text, T& out) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
  return fault == std::errc{} && end == text.data() + text.size();
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    unsigned value = 0;
    const auto [end, fault] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
    if (fault != std::errc{} || end != text.data() + i + 3) return std::nullopt;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

bool read_user(std::string_view text, Address& out) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  auto user = decode(text.substr(0, colon));
  auto password = decode(text.substr(colon + 1));
  if (!user || !password || password->empty()) return false;
  out.user = *std::move(user);
  out.password = *std::move(password);
  return true;
}

bool read_host(std::string_view text, Address& out) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    out.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return false;
  } else {
    const std::size_t colon = text.find(':');
    out.host = text.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
  }
  if (out.host.empty()) return false;
  return port.empty() || (read_number(port.substr(1), out.port) && out.port != 0);
}

}  // namespace

Result<Address> parse_url(std::string_view url) {
  Address address;
  if (url.starts_with("rediss://")) {
    address.tls = true;
    url.remove_prefix(9);
  } else if (url.starts_with("redis://")) {
    url.remove_prefix(8);
  } else {
    return bad_url();
  }
  if (const std::size_t slash = url.find('/'); slash != std::string_view::npos) {
    const std::string_view database = url.substr(slash + 1);
    if (!database.empty() && (!read_number(database, address.database) || address.database < 0)) {
      return bad_url();
    }
    url = url.substr(0, slash);
  }
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    if (!read_user(url.substr(0, at), address)) return bad_url();
    url.remove_prefix(at + 1);
  }
  if (!read_host(url, address)) return bad_url();
  return address;
}

}  // namespace ekiden::redis
