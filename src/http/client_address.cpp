#include "http/client_address.hpp"

#include <algorithm>
#include <charconv>

#include <boost/asio/ip/address_v6.hpp>

#include "http/text.hpp"

namespace ekiden::http {
namespace {

namespace ip = boost::asio::ip;

ip::address_v6 as_v6(const ip::address& address) {
  return address.is_v6() ? address.to_v6() : ip::make_address_v6(ip::v4_mapped, address.to_v4());
}

Error bad_network(const std::string& text) {
  return Error{Errc::invalid, "bad-network", "`" + text + "` is no network such as 10.0.0.0/8 or fd00::/8."};
}

Result<ip::network_v6> parse_network(const std::string& text) {
  const std::size_t slash = text.find('/');
  boost::system::error_code failed;
  const ip::address address = ip::make_address(text.substr(0, slash), failed);
  if (failed) return bad_network(text);
  const unsigned most = address.is_v4() ? 32 : 128;
  unsigned length = most;
  if (slash != std::string::npos) {
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data() + slash + 1, last, length);
    if (error != std::errc{} || end != last || length > most) return bad_network(text);
  }
  const unsigned mapped = address.is_v4() ? 96 : 0;
  return ip::network_v6(as_v6(address), static_cast<unsigned short>(length + mapped));
}

/// `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]:80`.
std::optional<ip::address> parse_hop(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    text = text.substr(1, end - 1);
  } else if (std::ranges::count(text, ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  boost::system::error_code failed;
  ip::address address = ip::make_address(std::string(text), failed);
  if (failed || text.find('%') != std::string_view::npos) return std::nullopt;
  return address;
}

/// The `hops`-th entry from the right over all values, or empty.
std::string_view entry_from_right(std::span<const std::string_view> values, std::size_t hops) {
  for (std::size_t i = values.size(); i > 0; --i) {
    std::string_view rest = values[i - 1];
    while (true) {
      const std::size_t comma = rest.rfind(',');
      const std::string_view entry = comma == std::string_view::npos ? rest : rest.substr(comma + 1);
      if (--hops == 0) return trim(entry);
      if (comma == std::string_view::npos) break;
      rest = rest.substr(0, comma);
    }
  }
  return {};
}

}  // namespace

Result<TrustedProxies> TrustedProxies::parse(std::span<const std::string> networks, std::size_t hops) {
  if (hops < 1) return Error{Errc::invalid, "bad-network", "A request passes at least one proxy."};
  TrustedProxies trusted;
  trusted.hops_ = hops;
  for (const std::string& text : networks) {
    EKIDEN_TRY(auto network, parse_network(text));
    trusted.networks_.push_back(network);
  }
  return trusted;
}

bool TrustedProxies::contains(const ip::address& address) const {
  const ip::address_v6 wide = as_v6(address);
  const auto holds = [&wide](const ip::network_v6& network) {
    return ip::network_v6(wide, network.prefix_length()).canonical() == network.canonical();
  };
  return std::ranges::any_of(networks_, holds);
}

std::string to_text(const ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

std::string client_address(const ip::address& peer, std::span<const std::string_view> forwarded_for,
                           const TrustedProxies& trusted) {
  if (trusted.empty() || forwarded_for.empty() || !trusted.contains(peer)) return to_text(peer);
  const std::string_view entry = entry_from_right(forwarded_for, trusted.hops());
  const std::optional<ip::address> address = entry.empty() ? std::nullopt : parse_hop(entry);
  return to_text(address.value_or(peer));
}

std::string rate_key(std::string_view client_address) {
  boost::system::error_code failed;
  const ip::address address = ip::make_address(std::string(client_address), failed);
  if (failed || address.is_v4()) return std::string(client_address);
  constexpr unsigned short kClientPrefix = 64;
  return ip::network_v6(address.to_v6(), kClientPrefix).canonical().to_string();
}

}  // namespace ekiden::http
