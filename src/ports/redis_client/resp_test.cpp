#include "ports/redis_client/resp.hpp"

#include <gtest/gtest.h>

#include "base/testing/seeded_random.hpp"
#include "ports/redis_client/command.hpp"
#include "ports/redis_client/url.hpp"

namespace ekiden::redis {
namespace {

Reply text(std::string bytes) {
  return {.type = Reply::Type::text, .integer = 0, .text = std::move(bytes), .items = {}};
}
Reply number(std::int64_t value) {
  return {.type = Reply::Type::integer, .integer = value, .text = {}, .items = {}};
}
Reply list(std::vector<Reply> items) {
  return {.type = Reply::Type::array, .integer = 0, .text = {}, .items = std::move(items)};
}

std::vector<Reply> parse(std::string_view bytes) {
  Parser parser;
  std::vector<Reply> replies;
  EXPECT_TRUE(parser.feed(bytes, replies)) << bytes;
  EXPECT_EQ(parser.buffered(), 0U) << bytes;
  return replies;
}

TEST(RespParser, ReadsEveryKindOfReply) {
  EXPECT_EQ(parse("+OK\r\n-ERR no\r\n:-42\r\n$-1\r\n*-1\r\n$0\r\n\r\n*0\r\n"),
            (std::vector<Reply>{{.type = Reply::Type::status, .integer = 0, .text = "OK", .items = {}},
                                {.type = Reply::Type::error, .integer = 0, .text = "ERR no", .items = {}},
                                number(-42),
                                {},
                                {},
                                text(""),
                                list({})}));
  EXPECT_EQ(parse("*3\r\n$5\r\na\r\nbc\r\n*2\r\n:1\r\n$-1\r\n:2\r\n:9223372036854775807\r\n"),
            (std::vector<Reply>{list({text("a\r\nbc"), list({number(1), {}}), number(2)}),
                                number(std::numeric_limits<std::int64_t>::max())}));
}

TEST(RespParser, MakesTheSameOfEveryCut) {
  constexpr std::uint64_t kSeed = 4'711;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  ekiden::testing::SeededRandom random(kSeed);
  const std::string bytes =
      "*3\r\n$12\r\nwith\r\n and \r\r\n*2\r\n+inner\r\n:77\r\n$-1\r\n$3\r\nend\r\n-ERR x\r\n:5\r\n";
  const std::vector<Reply> whole = parse(bytes);
  for (int round = 0; round < 200; ++round) {
    Parser parser;
    std::vector<Reply> replies;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = std::min<std::size_t>(random.below(5) + 1, bytes.size() - at);
      ASSERT_TRUE(parser.feed(std::string_view(bytes).substr(at, size), replies));
      at += size;
    }
    ASSERT_EQ(replies, whole) << "round " << round;
  }
}

TEST(RespParser, BelievesNoLengthAndStaysBroken) {
  const ReplyLimits limits{
      .text_bytes_max = 10, .line_bytes_max = 20, .items_max = 5, .bytes_max = 60, .depth_max = 2};
  for (const std::string_view bad :
       {"$11\r\n", "$-2\r\n", "*6\r\n", "*-2\r\n", ":1x\r\n", ":\r\n", "$\r\n", "?\r\n", "\r\n", "$2\r\nabXY",
        "*1\r\n*1\r\n*1\r\n", "+123456789012345678901234567890", "$99999999999999999999\r\n",
        "*5\r\n$9\r\n123456789\r\n$9\r\n123456789\r\n$9\r\n123456789\r\n$9\r\n123456789\r\n",
        "*5\r\n*2\r\n:1\r\n:1\r\n:1\r\n:1\r\n"}) {
    Parser parser(limits);
    std::vector<Reply> replies;
    EXPECT_FALSE(parser.feed(bad, replies)) << bad;
    EXPECT_TRUE(replies.empty()) << bad;
    EXPECT_EQ(parser.feed("+OK\r\n", replies).error().code(), Errc::malformed) << bad;
  }
}

TEST(Command, IsWrittenWithItsLengths) {
  std::string out;
  Command command{"SET", "k"};
  command.add("a\r\nb").add(-7);
  command.write(out);
  EXPECT_EQ(out, "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n$2\r\n-7\r\n");
  const Script script("return 1");
  EXPECT_EQ(script.digest(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
  ScriptCall call(script);
  call.add("x");
  out.clear();
  call.write_whole(out);
  EXPECT_EQ(out, "*4\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n0\r\n$1\r\nx\r\n");
}

TEST(Url, TellsHostUserAndDatabase) {
  EXPECT_EQ(*parse_url("redis://127.0.0.1:39237"), (Address{.host = "127.0.0.1", .port = 39237}));
  EXPECT_EQ(
      *parse_url("rediss://me:p%40ss@r.example/3"),
      (Address{
          .host = "r.example", .port = 6379, .user = "me", .password = "p@ss", .database = 3, .tls = true}));
  EXPECT_EQ(*parse_url("redis://:x@[::1]:7/"), (Address{.host = "::1", .port = 7, .password = "x"}));
  for (const char* bad :
       {"", "http://a", "redis://", "redis://h:0", "redis://h:70000", "redis://h/x", "redis://h/-1",
        "redis://user@h", "redis://a:%zz@h", "redis://[::1", "redis://[::1]x"}) {
    EXPECT_EQ(parse_url(bad).error().code(), Errc::invalid) << bad;
  }
}

}  // namespace
}  // namespace ekiden::redis
