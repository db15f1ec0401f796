#include "http/internal_caller.hpp"

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"

namespace ekiden::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class InternalCallerTest : public ::testing::Test {
 protected:
  static std::string secret_of(std::uint64_t seed) {
    ekiden::testing::SeededRandom random{seed};
    std::string bytes(32, '\0');
    random.fill(std::as_writable_bytes(std::span{bytes}));
    return bytes;
  }

  ekiden::testing::ManualClock clock;
  ekiden::testing::SeededRandom random{5};
  Ids ids{clock, random};
  const std::string key = secret_of(1);
  const Identity person{.user_id = ids.make<UserId>(),
                        .role = Role::organizer,
                        .session_id = ids.make<SessionId>(),
                        .scopes = {"workouts:read", "uploads:write"},
                        .by_api_key = true};
  const CallSigner signer{{.current = key, .previous = {}}};
  const CallVerifier verifier{{.current = key, .previous = {}}, seconds{30}};
};

TEST_F(InternalCallerTest, CarriesWhoAsks) {
  const std::string header = signer.sign(Verb::get, "/api/v1/me?a=b", person, "2001:db8::7", clock.now());
  const auto caller = verifier.verify(Verb::get, "/api/v1/me?a=b", header, clock.now());
  ASSERT_TRUE(caller);
  ASSERT_TRUE(caller->identity);
  EXPECT_EQ(caller->client_address, "2001:db8::7");
  EXPECT_EQ(caller->identity->user_id, person.user_id);
  EXPECT_EQ(caller->identity->session_id, person.session_id);
  EXPECT_EQ(caller->identity->role, Role::organizer);
  EXPECT_EQ(caller->identity->scopes, person.scopes);
  EXPECT_TRUE(caller->identity->by_api_key);
}

TEST_F(InternalCallerTest, CarriesThatNobodyIsSignedIn) {
  const std::string header = signer.sign(Verb::post, "/x", std::nullopt, "10.0.0.1", clock.now());
  const auto caller = verifier.verify(Verb::post, "/x", header, clock.now());
  ASSERT_TRUE(caller);
  EXPECT_FALSE(caller->identity);
  EXPECT_EQ(caller->client_address, "10.0.0.1");
}

TEST_F(InternalCallerTest, IsGoodForOneVerbOneTargetAndAWhile) {
  const std::string header = signer.sign(Verb::get, "/x", person, "10.0.0.1", clock.now());
  EXPECT_FALSE(verifier.verify(Verb::del, "/x", header, clock.now()));
  EXPECT_FALSE(verifier.verify(Verb::get, "/x?", header, clock.now()));
  EXPECT_TRUE(verifier.verify(Verb::get, "/x", header, clock.now() + seconds{30}));
  EXPECT_FALSE(verifier.verify(Verb::get, "/x", header, clock.now() + milliseconds{30'001}));
  EXPECT_TRUE(verifier.verify(Verb::get, "/x", header, clock.now() - seconds{30}));
  EXPECT_FALSE(verifier.verify(Verb::get, "/x", header, clock.now() - milliseconds{30'001}));
}

TEST_F(InternalCallerTest, AnyChangedByteIsRefused) {
  const std::string header = signer.sign(Verb::get, "/x", person, "10.0.0.1", clock.now());
  for (std::size_t i = 0; i < header.size(); ++i) {
    std::string changed = header;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(verifier.verify(Verb::get, "/x", changed, clock.now())) << i;
    EXPECT_FALSE(verifier.verify(Verb::get, "/x", header.substr(0, i), clock.now())) << i;
  }
  EXPECT_FALSE(verifier.verify(Verb::get, "/x", header + "A", clock.now()));
  EXPECT_FALSE(verifier.verify(Verb::get, "/x", "", clock.now()));
}

TEST_F(InternalCallerTest, TheSecretIsReplacedWithoutAGap) {
  const std::string fresh = secret_of(2);
  const CallSigner new_signer{{.current = fresh, .previous = key}};
  const CallVerifier both{{.current = fresh, .previous = key}, seconds{30}};
  const CallVerifier only_new{{.current = fresh, .previous = {}}, seconds{30}};
  const std::string by_old = signer.sign(Verb::get, "/x", person, "", clock.now());
  const std::string by_new = new_signer.sign(Verb::get, "/x", person, "", clock.now());
  EXPECT_TRUE(both.verify(Verb::get, "/x", by_old, clock.now()));
  EXPECT_TRUE(both.verify(Verb::get, "/x", by_new, clock.now()));
  EXPECT_FALSE(only_new.verify(Verb::get, "/x", by_old, clock.now()));
  EXPECT_FALSE(verifier.verify(Verb::get, "/x", by_new, clock.now()));
  EXPECT_THROW(CallSigner({.current = "short", .previous = {}}), std::logic_error);
}

}  // namespace
}  // namespace ekiden::http
