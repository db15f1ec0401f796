#include "services/gateway/revocations.hpp"

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "events/codec.hpp"
#include "events/users.hpp"

namespace ekiden::gateway {
namespace {

using std::chrono::seconds;

struct Fixture {
  delivery::Envelope revoked(UserId user, std::optional<SessionId> session) {
    return events::encode(
        events::SessionRevoked{.user_id = user, .session_id = session, .revoked_at = clock.now()});
  }
  testing::ManualClock clock;
  testing::SeededRandom random{1};
  Ids ids{clock, random};
  UserId ann = ids.make<UserId>();
  SessionId phone = ids.make<SessionId>();
  SessionId laptop = ids.make<SessionId>();
  Revocations revocations{seconds{960}, 3};
};

TEST(Revocations, ASessionIsRefusedAndItsNeighbourIsNot) {
  Fixture f;
  EXPECT_FALSE(f.revocations.covers(f.ann, f.phone, f.clock.now()));
  f.revocations.hear(f.revoked(f.ann, f.phone), f.clock.now());
  EXPECT_TRUE(f.revocations.covers(f.ann, f.phone, f.clock.now()));
  EXPECT_FALSE(f.revocations.covers(f.ann, f.laptop, f.clock.now()));
}

TEST(Revocations, APersonIsRefusedWithWhatWasIssuedUntilThen) {
  Fixture f;
  f.revocations.hear(f.revoked(f.ann, std::nullopt), f.clock.now());
  EXPECT_TRUE(f.revocations.covers(f.ann, f.laptop, f.clock.now()));
  EXPECT_FALSE(f.revocations.covers(f.ann, f.laptop, f.clock.now() + std::chrono::microseconds{1}));
}

TEST(Revocations, AnEntryGoesWhenTheLastTokenHasExpired) {
  Fixture f;
  const auto event = f.revoked(f.ann, f.phone);
  f.revocations.hear(event, f.clock.now());
  f.clock.advance(seconds{960} - std::chrono::microseconds{1});
  f.revocations.hear(f.revoked(f.ann, f.laptop), f.clock.now());
  EXPECT_EQ(f.revocations.size(), 2);
  f.clock.advance(std::chrono::microseconds{1});
  f.revocations.hear(event, f.clock.now());
  EXPECT_EQ(f.revocations.size(), 1) << "the old one has gone, and is not taken again";
  EXPECT_EQ(f.revocations.dropped(), 0);
}

TEST(Revocations, BeyondTheBoundTheOldestGoesAndIsCounted) {
  Fixture f;
  f.revocations.hear(f.revoked(f.ann, f.phone), f.clock.now());
  for (int i = 0; i < 3; ++i) {
    f.clock.advance(seconds{1});
    f.revocations.hear(f.revoked(f.ann, f.ids.make<SessionId>()), f.clock.now());
  }
  EXPECT_EQ(f.revocations.size(), 3);
  EXPECT_EQ(f.revocations.dropped(), 1);
  EXPECT_FALSE(f.revocations.covers(f.ann, f.phone, f.clock.now()));
}

TEST(Revocations, TheSameOneAgainTakesNoSecondPlace) {
  Fixture f;
  for (int i = 0; i < 10; ++i) {
    f.clock.advance(seconds{1});
    f.revocations.hear(f.revoked(f.ann, f.phone), f.clock.now());
  }
  EXPECT_EQ(f.revocations.size(), 1);
  EXPECT_EQ(f.revocations.dropped(), 0);
}

TEST(Revocations, OtherEventsArePassedOver) {
  Fixture f;
  f.revocations.hear(events::encode(events::UserDeleted{.user_id = f.ann, .version = 2}), f.clock.now());
  EXPECT_EQ(f.revocations.size(), 0);
}

}  // namespace
}  // namespace ekiden::gateway
