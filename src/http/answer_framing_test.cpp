#include "http/answer_framing.hpp"

#include <gtest/gtest.h>

namespace ekiden::http {
namespace {

bool is_good(const std::string& head, AnswerView& view) {
  return !parse_answer_head(head, {}, view);
}

TEST(AnswerFraming, ReadsAnOrdinaryHead) {
  AnswerView view;
  const std::string head =
      "HTTP/1.1 201 Created\r\ncontent-length: 12\r\nConnection: close, X-Hop\r\nX-A:  b \r\n\r\n";
  ASSERT_TRUE(is_good(head, view));
  EXPECT_EQ(view.status, 201);
  EXPECT_EQ(view.content_length, 12);
  EXPECT_FALSE(view.chunked);
  EXPECT_FALSE(view.keep_alive);
  EXPECT_EQ(view.get("x-a"), "b");
  EXPECT_TRUE(is_hop_by_hop("x-hop", view.connection));
  EXPECT_TRUE(is_hop_by_hop("transfer-encoding", view.connection));
  EXPECT_FALSE(is_hop_by_hop("X-A", view.connection));
  ASSERT_TRUE(is_good("HTTP/1.1 200\r\n\r\n", view));
  EXPECT_TRUE(view.keep_alive);
  EXPECT_FALSE(view.content_length);
  ASSERT_TRUE(is_good("HTTP/1.0 200 OK\r\n\r\n", view));
  EXPECT_FALSE(view.keep_alive);
}

TEST(AnswerFraming, RefusesWhatCouldBeReadInTwoWays) {
  AnswerView view;
  for (const char* fields :
       {"Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: +1\r\n", "Content-Length: \r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "A: b\r\n c\r\n", "A : b\r\n",
        "no colon\r\n", "Content-Length: 9999999999999999999\r\n"}) {
    EXPECT_FALSE(is_good("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n", view)) << fields;
  }
  EXPECT_FALSE(is_good("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", view));
}

TEST(AnswerFraming, RefusesWhatIsNoStatusLine) {
  AnswerView view;
  for (const char* line : {"HTTP/2.0 200 OK", "HTTP/1.1 2000", "HTTP/1.1 099 x", "HTTP/1.1  200",
                           "HTTP/1.1 20", "http/1.1 200 OK", "HTTP/1.2 200 OK", "", "HTTP/1.1 2x0 OK"}) {
    EXPECT_FALSE(is_good(std::string(line) + "\r\n\r\n", view)) << line;
  }
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 65; ++i) many += "A: b\r\n";
  EXPECT_FALSE(is_good(many + "\r\n", view));
}

}  // namespace
}  // namespace ekiden::http
