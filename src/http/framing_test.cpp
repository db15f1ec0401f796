#include "http/framing.hpp"

#include <gtest/gtest.h>

namespace ekiden::http {
namespace {

/// What a head gets: 0 and no slug where it is taken.
struct Answer {
  int status = 0;
  std::string slug;
  friend bool operator==(const Answer&, const Answer&) = default;
};
void PrintTo(const Answer& answer, std::ostream* out) {
  *out << answer.status << ' ' << answer.slug;
}

Answer read(std::string_view bytes, HeadView& head, const FramingLimits& limits = {}) {
  std::size_t searched = 0;
  const auto [length, early] = find_head(bytes, limits, searched);
  if (early) return {early->status, std::string(early->slug)};
  if (length == 0) return {-1, "more"};
  const std::optional<Refusal> refused = parse_head(bytes.substr(0, length), limits, head);
  return refused ? Answer{refused->status, std::string(refused->slug)} : Answer{};
}

Answer read(std::string_view bytes, const FramingLimits& limits = {}) {
  HeadView head;
  return read(bytes, head, limits);
}

Answer with(std::string_view fields) {
  return read("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
}

constexpr std::string_view kPlain = "GET /a/b?c=d HTTP/1.1\r\nHost: example.com:8080\r\nX-Y:  z \r\n\r\n";

TEST(Framing, ReadsAPlainHead) {
  HeadView head;
  EXPECT_EQ(read(kPlain, head), Answer{});
  EXPECT_EQ(head.verb, Verb::get);
  EXPECT_EQ(head.target, "/a/b?c=d");
  EXPECT_EQ(head.path(), "/a/b");
  EXPECT_EQ(head.raw_query(), "c=d");
  EXPECT_EQ(head.host, "example.com:8080");
  EXPECT_EQ(head.get("x-y"), "z");
  EXPECT_EQ(head.field_count, 2U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.has_body());
}

TEST(Framing, WaitsForEveryPrefix) {
  for (std::size_t i = 0; i < kPlain.size(); ++i)
    EXPECT_EQ(read(kPlain.substr(0, i)), (Answer{-1, "more"})) << "prefix of " << i;
}

TEST(Framing, FindsTheEndByteByByte) {
  std::size_t searched = 0;
  std::size_t found = 0;
  for (std::size_t i = 1; i <= kPlain.size() && found == 0; ++i) {
    const auto [length, refused] = find_head(kPlain.substr(0, i), {}, searched);
    ASSERT_FALSE(refused);
    found = length;
  }
  EXPECT_EQ(found, kPlain.size());
}

TEST(Framing, RefusesLengthAndEncodingTogether) {
  EXPECT_EQ(with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), (Answer{400, "bad-framing"}));
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), (Answer{400, "bad-framing"}));
  EXPECT_EQ(with("Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n"), (Answer{400, "bad-framing"}));
}

TEST(Framing, KnowsNoCodingButChunked) {
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\n"), Answer{});
  EXPECT_EQ(with("Transfer-Encoding: Chunked \r\n"), Answer{});
  EXPECT_EQ(with("Transfer-Encoding: xchunked\r\n"), (Answer{501, "bad-framing"}));
  EXPECT_EQ(with("Transfer-Encoding: gzip\r\n"), (Answer{501, "bad-framing"}));
  EXPECT_EQ(with("Transfer-Encoding:\r\n"), (Answer{501, "bad-framing"}));
  EXPECT_EQ(with("Transfer-Encoding: chunked, identity\r\n"), (Answer{400, "bad-framing"}));
  EXPECT_EQ(with("Transfer-Encoding: gzip, chunked\r\n"), (Answer{400, "bad-framing"}));
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            (Answer{400, "bad-framing"}));
  EXPECT_EQ(read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), (Answer{400, "bad-framing"}));
}

TEST(Framing, TakesOnePlainContentLength) {
  EXPECT_EQ(with("Content-Length: 0\r\n"), Answer{});
  EXPECT_EQ(with("Content-Length: 999999999999999999\r\n"), Answer{});
  for (const char* bad : {"+1", "-1", "0x1", "1e3", "1 2", "1, 1", "", "1.0", "9999999999999999999"})
    EXPECT_EQ(with("Content-Length: " + std::string(bad) + "\r\n"), (Answer{400, "bad-framing"})) << bad;
  EXPECT_EQ(with("Content-Length: 1\r\nContent-Length: 2\r\n"), (Answer{400, "bad-framing"}));
  EXPECT_EQ(with("Content-Length: 1\r\nContent-Length: 1\r\n"), (Answer{400, "bad-framing"}));
}

TEST(Framing, WantsExactlyOneHost) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\n\r\n"), (Answer{400, "bad-host"}));
  EXPECT_EQ(read("GET / HTTP/1.0\r\n\r\n"), Answer{});
  EXPECT_EQ(with("Host: a\r\n"), (Answer{400, "bad-host"}));
  for (const char* bad : {"", "a/b", "a b", "a@b", "a:b", "a:123456", "[::1", "[]", ":80", "a,b"})
    EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: " + std::string(bad) + "\r\n\r\n"), (Answer{400, "bad-host"}))
        << bad;
  for (const char* good : {"a", "A.example:1", "127.0.0.1:80", "[::1]", "[::1]:8080"})
    EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: " + std::string(good) + "\r\n\r\n"), Answer{}) << good;
}

TEST(Framing, SendsForeignAuthoritiesAway) {
  EXPECT_EQ(read("GET http://evil/ HTTP/1.1\r\nHost: good\r\n\r\n"), (Answer{421, "misdirected"}));
  HeadView head;
  EXPECT_EQ(read("GET HTTP://Good:80/x?y HTTP/1.1\r\nHost: good:80\r\n\r\n", head), Answer{});
  EXPECT_EQ(head.target, "/x?y");
  FramingLimits limits;
  limits.public_hosts = {"good"};
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: evil\r\n\r\n", limits), (Answer{421, "misdirected"}));
  EXPECT_EQ(read("GET http://evil/ HTTP/1.1\r\nHost: evil\r\n\r\n", limits), (Answer{421, "misdirected"}));
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: GOOD\r\n\r\n", limits), Answer{});
  EXPECT_EQ(read("GET ftp://good/ HTTP/1.1\r\nHost: good\r\n\r\n"), (Answer{400, "bad-path"}));
  EXPECT_EQ(read("GET x HTTP/1.1\r\nHost: good\r\n\r\n"), (Answer{400, "bad-path"}));
}

TEST(Framing, RefusesBrokenHeaders) {
  const Answer bad{400, "bad-header"};
  EXPECT_EQ(with("A: b\r\n c\r\n"), bad);
  EXPECT_EQ(with("A : b\r\n"), bad);
  EXPECT_EQ(with(": b\r\n"), bad);
  EXPECT_EQ(with("A\r\n"), bad);
  EXPECT_EQ(with(std::string_view("A: b\0c\r\n", 8)), bad);
  EXPECT_EQ(with("A: b\rc\r\n"), bad);
  EXPECT_EQ(with("A: b\nC: d\r\n"), bad);
  EXPECT_EQ(with("A: \x01\r\n"), bad);
  EXPECT_EQ(read("GET / HTTP/1.1\nHost: a\n\n"), bad);
  EXPECT_EQ(read("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), bad);
}

TEST(Framing, BoundsTheHead) {
  EXPECT_EQ(with("A: " + std::string(8 * 1024 - 3, 'x') + "\r\n"), Answer{});
  EXPECT_EQ(with("A: " + std::string(8 * 1024 - 2, 'x') + "\r\n"), (Answer{431, "headers-too-large"}));
  std::string many;
  for (int i = 0; i < 63; ++i) many += "A: b\r\n";
  EXPECT_EQ(with(many), Answer{});
  EXPECT_EQ(with(many + "A: b\r\n"), (Answer{431, "headers-too-large"}));
  EXPECT_EQ(read("GET / HTTP/1.1\r\n" + std::string(32 * 1024, 'x')), (Answer{431, "headers-too-large"}));
  const auto target = [](std::size_t size) {
    return read("GET /" + std::string(size - 1, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n");
  };
  EXPECT_EQ(target(8 * 1024), Answer{});
  EXPECT_EQ(target(8 * 1024 + 1), (Answer{414, "uri-too-long"}));
  EXPECT_EQ(read("GET /" + std::string(9 * 1024, 'x')), (Answer{414, "uri-too-long"}));
}

TEST(Framing, KnowsItsMethodsAndVersions) {
  for (const char* method : {"TRACE", "CONNECT", "BREW", "get"})
    EXPECT_EQ(read(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n"),
              (Answer{405, "method-not-allowed"}));
  EXPECT_EQ(read("PRI * HTTP/2.0\r\n\r\n"), (Answer{505, "version-not-supported"}));
  EXPECT_EQ(read("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), (Answer{505, "version-not-supported"}));
  for (const char* bad : {"GET /\r\n\r\n", "GET / http/1.1\r\n\r\n", "\r\n\r\n", "G(T / HTTP/1.1\r\n\r\n"})
    EXPECT_EQ(read(bad), (Answer{400, "bad-request-line"})) << bad;
  EXPECT_EQ(read("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), (Answer{400, "bad-path"}));
  EXPECT_EQ(read("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), Answer{});
  EXPECT_EQ(read("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), (Answer{400, "bad-path"}));
}

TEST(Framing, ReadsConnectionAndExpect) {
  HeadView head;
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n", head), Answer{});
  EXPECT_FALSE(head.keep_alive);
  EXPECT_EQ(read("GET / HTTP/1.0\r\n\r\n", head), Answer{});
  EXPECT_FALSE(head.keep_alive);
  EXPECT_EQ(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", head), Answer{});
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", head),
            Answer{});
  EXPECT_TRUE(head.wants_upgrade);
  EXPECT_EQ(read("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n", head),
            Answer{});
  EXPECT_TRUE(head.expects_continue);
  EXPECT_EQ(with("Expect: 200-ok\r\n"), (Answer{417, "expectation-failed"}));
}

}  // namespace
}  // namespace ekiden::http
