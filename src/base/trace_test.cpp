#include "base/trace.hpp"

#include <gtest/gtest.h>

#include "base/testing/seeded_random.hpp"

namespace ekiden {
namespace {

TEST(TraceContext, TakesOnlyWhatTheStandardAllows) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto trace = TraceContext::parse(good);
  ASSERT_TRUE(trace);
  EXPECT_TRUE(trace->sampled);
  EXPECT_EQ(trace->to_traceparent(), good);
  EXPECT_TRUE(TraceContext::parse("cc" + good.substr(2) + "-future"));
  for (const std::string& bad : {std::string{}, good + "x", good + "-x", "ff" + good.substr(2), "0" + good,
                                 std::string("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
                                 std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"),
                                 std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")})
    EXPECT_FALSE(TraceContext::parse(bad)) << bad;
}

TEST(TraceContext, AChildIsTheNextStepOfTheSameTrace) {
  testing::SeededRandom random(7);
  const auto parent = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  ASSERT_TRUE(parent);
  const TraceContext child = parent->child(random);
  EXPECT_EQ(child.trace_id, parent->trace_id);
  EXPECT_EQ(child.parent_span_id, parent->span_id);
  EXPECT_TRUE(child.sampled);
  EXPECT_NE(child.span_id, parent->span_id);
  EXPECT_TRUE(TraceContext::parse(child.to_traceparent()));
}

}  // namespace
}  // namespace ekiden
