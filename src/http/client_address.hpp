#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "base/result.hpp"

namespace ekiden::http {

/// The proxies whose `X-Forwarded-For` is believed. @threads any
class TrustedProxies {
 public:
  TrustedProxies() = default;
  /// @param networks `10.0.0.0/8`, `fd00::/8`, or single addresses.
  /// @param hops     how many of our proxies a request passes: the client is that many entries from the
  /// right.
  /// @errors invalid `bad-network`: an entry is no network, or hops is below 1.
  static Result<TrustedProxies> parse(std::span<const std::string> networks, std::size_t hops = 1);
  bool contains(const boost::asio::ip::address& address) const;
  bool empty() const { return networks_.empty(); }
  std::size_t hops() const { return hops_; }

 private:
  std::vector<boost::asio::ip::network_v6> networks_;  ///< IPv4 as `::ffff:a.b.c.d`
  std::size_t hops_ = 1;
};

/// Who asks: the peer, or what a trusted peer says in X-Forwarded-For, counted from the right. A list that is
/// too short or holds no address there gives the peer: what a client can write itself is never believed.
/// @param forwarded_for the header's values in order.
std::string client_address(const boost::asio::ip::address& peer,
                           std::span<const std::string_view> forwarded_for, const TrustedProxies& trusted);

/// IPv4 as it is, also where it came as `::ffff:a.b.c.d`; IPv6 in its canonical text.
std::string to_text(const boost::asio::ip::address& address);

/// What a budget is counted by: an IPv4 address, or the /64 of an IPv6 address, of which one client owns all.
std::string rate_key(std::string_view client_address);

}  // namespace ekiden::http
