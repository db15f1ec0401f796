#include <gtest/gtest.h>

#include "http/client_address.hpp"
#include "http/cursor.hpp"
#include "http/digest.hpp"
#include "http/etag.hpp"
#include "http/gzip.hpp"

namespace ekiden::http {
namespace {

Request with_query(std::vector<std::pair<std::string, std::string>> query) {
  Request request;
  request.query = std::move(query);
  return request;
}

TEST(Digest, MatchesPublishedVectors) {
  const auto hex = [](std::string_view bytes) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
      text += kHex[static_cast<unsigned char>(c) >> 4U];
      text += kHex[static_cast<unsigned char>(c) & 15U];
    }
    return text;
  };
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, test case 2.
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Base64Url, HasOneTextForEachValue) {
  // RFC 4648 10, without padding.
  EXPECT_EQ(to_base64url("foob"), "Zm9vYg");
  EXPECT_EQ(to_base64url("\xff\xfe"), "__4");
  for (const std::string& value :
       {std::string(), std::string("f"), std::string("fo"), std::string("foo"), std::string("\0\xff", 2)})
    EXPECT_EQ(from_base64url(to_base64url(value)), value);
  for (const char* bad : {"Z", "Zm9vYh", "Zm9v==", "Zm+v", "Zm9v\n"})
    EXPECT_FALSE(from_base64url(bad)) << bad;
}

TEST(Cursor, OpensOnlyWhereItWasSealed) {
  const CursorSealer sealer{"key"};
  const std::string cursor = sealer.seal("feed:1", "2026|42");
  EXPECT_EQ(sealer.open("feed:1", cursor).value(), "2026|42");
  EXPECT_FALSE(sealer.open("feed:2", cursor));
  EXPECT_FALSE(CursorSealer{"other"}.open("feed:1", cursor));
  // The border between list and position cannot be moved.
  EXPECT_FALSE(sealer.open("feed:12026|42", sealer.seal("feed:1", "")));
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string tampered = cursor;
    tampered[i] = tampered[i] == 'A' ? 'B' : 'A';
    const auto opened = sealer.open("feed:1", tampered);
    ASSERT_FALSE(opened) << i;
    EXPECT_EQ(opened.error().code(), Errc::invalid);
    EXPECT_EQ(opened.error().slug(), "bad-cursor");
    EXPECT_EQ(opened.error().field(), "cursor");
  }
  EXPECT_FALSE(sealer.open("feed:1", ""));
  EXPECT_FALSE(sealer.open("feed:1", std::string(10'000, 'A')));
  EXPECT_THROW(static_cast<void>(sealer.seal("a", std::string(513, 'x'))), std::logic_error);
}

TEST(QueryReader, RefusesWhatARouteDoesNotKnow) {
  const auto field_of = [](const Request& request) {
    const auto checked = QueryReader{request, {"limit", "cursor"}}.check();
    return checked ? "" : checked.error().slug() + " " + checked.error().field();
  };
  EXPECT_EQ(field_of(with_query({{"limit", "1"}, {"cursor", "x"}})), "");
  EXPECT_EQ(field_of(with_query({{"offset", "-1"}})), "unknown-parameter offset");
  EXPECT_EQ(field_of(with_query({{"limit", "1"}, {"limit", "2"}})), "repeated-parameter limit");
}

TEST(QueryReader, BoundsTheLimit) {
  const auto limit = [](std::string value) -> std::int64_t {
    const Request request = with_query({{"limit", std::move(value)}});
    const auto parsed = QueryReader{request, {"limit"}}.limit();
    if (parsed) return *parsed;
    EXPECT_EQ(parsed.error().field(), "limit");
    EXPECT_EQ(parsed.error().code(), Errc::invalid);
    return -1;
  };
  EXPECT_EQ(limit("1"), 1);
  EXPECT_EQ(limit("200"), 200);
  for (const char* bad : {"0", "201", "1000000", "-1", "", "x", "1x", " 1", "+1", "99999999999999999999"})
    EXPECT_EQ(limit(bad), -1) << bad;
  const Request none = with_query({});
  EXPECT_EQ(QueryReader(none, {"limit"}).limit(25).value(), 25);
}

TEST(QueryReader, OpensCursors) {
  const CursorSealer sealer{"key"};
  const Request first = with_query({});
  EXPECT_EQ(QueryReader(first, {"cursor"}).cursor(sealer, "l").value(), std::nullopt);
  const Request second = with_query({{"cursor", sealer.seal("l", "7")}});
  EXPECT_EQ(QueryReader(second, {"cursor"}).cursor(sealer, "l").value(), "7");
  const Request tampered = with_query({{"cursor", "x"}});
  EXPECT_EQ(QueryReader(tampered, {"cursor"}).cursor(sealer, "l").error().slug(), "bad-cursor");
}

TEST(Etag, AnswersConditionalReads) {
  Request request;
  const auto answer = [&request](std::string etag) {
    return with_etag(request, std::move(etag), Response::json(200, "{}"));
  };
  EXPECT_EQ(answer("\"v1\"").status, 200);
  EXPECT_EQ(answer("\"v1\"").headers.get("etag"), "\"v1\"");
  for (const char* hit : {"\"v1\"", "W/\"v1\"", "\"a\", \"v1\"", "*"}) {
    request.headers.set("If-None-Match", hit);
    const Response response = answer("\"v1\"");
    EXPECT_EQ(response.status, 304) << hit;
    EXPECT_TRUE(response.body.empty());
    EXPECT_EQ(response.headers.get("etag"), "\"v1\"");
  }
  EXPECT_EQ(answer("\"v2\"").status, 304);  // `*` fits every version
  request.headers.set("If-None-Match", "\"v1\"");
  EXPECT_EQ(answer("\"v2\"").status, 200);
  request.verb = Verb::patch;
  EXPECT_EQ(answer("\"v1\"").status, 200);
  EXPECT_NE(etag_of_content("a"), etag_of_content("b"));
  EXPECT_EQ(etag_of_content("a"), etag_of_content("a"));
}

TEST(Etag, WantsTheVersionThatIsEdited) {
  Request request;
  EXPECT_EQ(if_match_version(request).error().code(), Errc::precondition_required);
  request.headers.set("If-Match", etag_of_version(42));
  EXPECT_EQ(if_match_version(request).value(), 42);
  for (const char* bad : {"*", "W/\"v42\"", "42", "\"v42\", \"v43\"", "\"v\"", "\"v042\"", "\"v4x\"",
                          "\"v99999999999999999999\""}) {
    request.headers.set("If-Match", bad);
    EXPECT_EQ(if_match_version(request).error().code(), Errc::precondition_failed) << bad;
  }
}

TrustedProxies trust(std::vector<std::string> networks, std::size_t hops = 1) {
  return TrustedProxies::parse(networks, hops).value();
}

std::string client(const char* peer, std::vector<std::string_view> forwarded, const TrustedProxies& trusted) {
  return client_address(boost::asio::ip::make_address(peer), forwarded, trusted);
}

TEST(ClientAddress, BelievesOnlyConfiguredProxies) {
  EXPECT_EQ(client("1.2.3.4", {"9.9.9.9"}, {}), "1.2.3.4");
  EXPECT_EQ(client("1.2.3.4", {"9.9.9.9"}, trust({"10.0.0.0/8"})), "1.2.3.4");
  EXPECT_EQ(client("10.1.2.3", {"9.9.9.9"}, trust({"10.0.0.0/8"})), "9.9.9.9");
  EXPECT_EQ(client("::ffff:10.1.2.3", {"9.9.9.9"}, trust({"10.0.0.0/8"})), "9.9.9.9");
  EXPECT_EQ(client("fd00::1", {"2001:DB8::1"}, trust({"fd00::/8"})), "2001:db8::1");
  EXPECT_EQ(client("10.1.2.3", {}, trust({"10.1.2.3"})), "10.1.2.3");
}

TEST(ClientAddress, CountsFromTheRight) {
  const TrustedProxies two = trust({"10.0.0.0/8"}, 2);
  EXPECT_EQ(client("10.0.0.1", {"6.6.6.6, 1.1.1.1, 10.0.0.2"}, two), "1.1.1.1");
  EXPECT_EQ(client("10.0.0.1", {"6.6.6.6", "1.1.1.1", "10.0.0.2"}, two), "1.1.1.1");
  EXPECT_EQ(client("10.0.0.1", {"10.0.0.2"}, two), "10.0.0.1");
  std::string thousand;
  for (int i = 0; i < 1000; ++i) thousand += "6.6.6.6,";
  EXPECT_EQ(client("10.0.0.1", {thousand + "1.1.1.1"}, trust({"10.0.0.0/8"})), "1.1.1.1");
}

TEST(ClientAddress, FallsBackToThePeer) {
  const TrustedProxies trusted = trust({"10.0.0.0/8"});
  for (const char* bad :
       {"unknown", "", ",", "1.1.1", "1.1.1.1.1", "1.1.1.1;", "fe80::1%eth0", "[::1", "1.1.1.1, x"})
    EXPECT_EQ(client("10.0.0.1", {bad}, trusted), "10.0.0.1") << bad;
  EXPECT_EQ(client("10.0.0.1", {"1.1.1.1:8080"}, trusted), "1.1.1.1");
  EXPECT_EQ(client("10.0.0.1", {"[2001:db8::1]:80"}, trusted), "2001:db8::1");
}

TEST(ClientAddress, RefusesBadNetworks) {
  for (const char* bad : {"", "x", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::/129"}) {
    const std::vector<std::string> networks{bad};
    EXPECT_FALSE(TrustedProxies::parse(networks)) << bad;
  }
  EXPECT_FALSE(TrustedProxies::parse({}, 0));
}

TEST(RateKey, CountsAnIp6ClientByItsNetwork) {
  EXPECT_EQ(rate_key("1.2.3.4"), "1.2.3.4");
  EXPECT_EQ(rate_key("2001:db8:1:2:3:4:5:6"), rate_key("2001:db8:1:2::1"));
  EXPECT_NE(rate_key("2001:db8:1:2::1"), rate_key("2001:db8:1:3::1"));
}

TEST(Gzip, GoesBothWays) {
  Deflater deflater;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i);
  for (const std::string& each : {std::string(), std::string("a"), text, text}) {
    const std::string packed = deflater.gzip(each);
    Inflater inflater{static_cast<std::int64_t>(each.size())};
    std::string out;
    for (std::size_t at = 0; at < packed.size(); at += 1000)
      ASSERT_TRUE(inflater.feed(std::string_view(packed).substr(at, 1000), out));
    EXPECT_TRUE(inflater.finished());
    EXPECT_EQ(out, each);
  }
}

TEST(Gzip, StopsABombAtItsCap) {
  Deflater deflater;
  const std::string bomb = deflater.gzip(std::string(32 * 1024 * 1024, '\0'));
  Inflater inflater{100'000};
  std::string out;
  const auto fed = inflater.feed(bomb, out);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().slug(), "decompressed-too-large");
  EXPECT_LE(out.size(), 100'000U);
}

TEST(Gzip, ReadsAcceptEncoding) {
  for (const char* yes : {"gzip", "br, gzip", "GZIP;q=0.5", "*", "deflate;q=0, gzip;q=1"})
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  for (const char* no : {"", "br", "gzip;q=0", "gzip; q=0.000", "gzipped"})
    EXPECT_FALSE(accepts_gzip(no)) << no;
}

}  // namespace
}  // namespace ekiden::http
