// Goal: what a service lists as going by itself goes, however much there is, and what is still needed stays.
#include "app/housekeeper.hpp"

#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "ports/sql/sqlite/testing/sqlite_place.hpp"
#include "services/user/service.hpp"
#include "services/user/store/accounts.hpp"
#include "services/user/store/sessions.hpp"
#include "services/user/store/sweeps.hpp"

namespace ekiden::app {
namespace {

struct Fixture {
  Fixture() : database(place.open({.clock = &clock})) {
    const auto steps = sql::migrate(*database, user::migrations());
    EXPECT_TRUE(steps) << steps.error().text();
  }
  std::int64_t count(const std::string& table) {
    return database->read([&](sql::Tx& tx) { return tx.query("SELECT COUNT(*) FROM " + table); })
        ->at(0)
        .integer(0);
  }
  testing::ManualClock clock;
  testing::SeededRandom random{9};
  Ids ids{clock, random};
  testing::KeptLines lines;
  sql::testing::SqlitePlace place;
  std::unique_ptr<sql::Database> database;
};

TEST(Housekeeper, SessionsAndFailuresGoWhenTheirTimeIsOver) {
  Fixture f;
  const auto sweeps = user::sweeps();
  Housekeeper keeper(*f.database, sweeps, f.clock, Logger(f.lines, f.clock));
  const UserId ann = f.ids.make<UserId>();
  const Timestamp now = f.clock.now();
  const auto written = f.database->write([&](sql::Tx& tx) -> Result<void> {
    user::Account account{.user_id = ann,
                          .email = "ann@example.org",
                          .password_hash = "x",
                          .role = http::Role::member,
                          .profile = {},
                          .version = 1,
                          .created_at = now,
                          .changed_at = now};
    account.profile.display_name = "Ann";
    EKIDEN_CHECK(user::insert_account(tx, account));
    for (int i = 0; i < 1200; ++i) {
      const user::Session session{.session_id = f.ids.make<SessionId>(),
                                  .user_id = ann,
                                  .user_agent = "",
                                  .address = "",
                                  .created_at = now,
                                  .used_at = now,
                                  .expires_at = now + std::chrono::hours{1 + i % 2 * 24 * 365},
                                  .revoked_at = {}};
      EKIDEN_CHECK(user::insert_session(tx, session, sql::Blob{"token" + std::to_string(i)}));
    }
    for (int i = 0; i < 600; ++i)
      EKIDEN_CHECK(user::count_login_failure(tx, "stranger" + std::to_string(i) + "@example.org", now));
    return {};
  });
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_EQ(keeper.sweep(), 0);
  f.clock.advance(std::chrono::hours{24 * 4});
  EXPECT_EQ(keeper.sweep(), 600);
  EXPECT_EQ(f.count("login_failures"), 0);
  f.clock.advance(std::chrono::hours{24 * 30});
  EXPECT_EQ(keeper.sweep(), 600);
  EXPECT_EQ(f.count("sessions"), 600);
  EXPECT_EQ(f.count("refresh_tokens"), 600);
}

TEST(Housekeeper, AFailureStopsNobodyElse) {
  Fixture f;
  int runs = 0;
  const std::vector<services::Sweep> sweeps = {
      {.name = "broken",
       .run = [](sql::Tx& tx, Timestamp, std::int64_t) { return tx.execute("DELETE FROM nowhere"); }},
      {.name = "fine", .run = [&runs](sql::Tx&, Timestamp, std::int64_t limit) -> Result<std::int64_t> {
         return ++runs == 1 ? limit : 7;
       }}};
  Housekeeper keeper(*f.database, sweeps, f.clock, Logger(f.lines, f.clock));
  EXPECT_EQ(keeper.sweep(), 507);
  EXPECT_EQ(f.lines.count("sweep_failed"), 1U);
}

}  // namespace
}  // namespace ekiden::app
