#pragma once

// Goal: what accounts, sessions and secrets promise, on the engine of the test program.
#include <gtest/gtest.h>

#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"
#include "ports/sql/testing/engine.hpp"
#include "services/user/domain/secret.hpp"
#include "services/user/service.hpp"
#include "services/user/store/accounts.hpp"
#include "services/user/store/keys.hpp"
#include "services/user/store/sessions.hpp"

namespace ekiden::user {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  Fixture() : database(place->open({.clock = &clock})) {
    const auto steps = sql::migrate(*database, migrations());
    EXPECT_TRUE(steps) << steps.error().text();
  }
  Account make_account(const std::string& email) {
    Account account{.user_id = ids.make<UserId>(),
                    .email = email,
                    .password_hash = "hash",
                    .role = http::Role::member,
                    .profile = {},
                    .version = 1,
                    .created_at = clock.now(),
                    .changed_at = clock.now()};
    account.profile.display_name = "Ann";
    account.profile.weight_kg = 61.5;
    account.profile.sex = Sex::female;
    EXPECT_TRUE(*database->write([&](sql::Tx& tx) { return insert_account(tx, account); }));
    return account;
  }
  Session make_session(UserId user_id, const std::string& refresh) {
    const Session session{.session_id = ids.make<SessionId>(),
                          .user_id = user_id,
                          .user_agent = "test",
                          .address = "127.0.0.1",
                          .created_at = clock.now(),
                          .used_at = clock.now(),
                          .expires_at = clock.now() + 1h,
                          .revoked_at = {}};
    EXPECT_TRUE(
        database->write([&](sql::Tx& tx) { return insert_session(tx, session, hash_secret(refresh)); }));
    return session;
  }
  Rotation::Outcome rotate(const std::string& from, const std::string& to) {
    return database
        ->write([&](sql::Tx& tx) {
          return rotate_refresh(tx, hash_secret(from), hash_secret(to), clock.now(), clock.now() + 1h);
        })
        ->outcome;
  }
  testing::ManualClock clock;
  testing::SeededRandom random{7};
  Ids ids{clock, random};
  std::unique_ptr<sql::contract::Place> place = sql::testing::make_test_place();
  std::unique_ptr<sql::Database> database;
};

TEST(Accounts, AreReadAsTheyWereWritten) {
  Fixture fixture;
  const Account account = fixture.make_account("ann@example.org");
  const auto found =
      fixture.database->read([&](sql::Tx& tx) { return find_account_by_email(tx, "ann@example.org"); });
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->profile, account.profile);
  EXPECT_EQ((*found)->user_id, account.user_id);
}

TEST(Accounts, HaveOneOwnerForEachAddress) {
  Fixture fixture;
  const Account first = fixture.make_account("ann@example.org");
  Account second = first;
  second.user_id = fixture.ids.make<UserId>();
  EXPECT_FALSE(*fixture.database->write([&](sql::Tx& tx) { return insert_account(tx, second); }));
}

TEST(Accounts, ALateEditorChangesNothing) {
  Fixture fixture;
  Account account = fixture.make_account("ann@example.org");
  account.version = 2;
  account.profile.display_name = "Anna";
  EXPECT_TRUE(*fixture.database->write([&](sql::Tx& tx) { return update_account(tx, account); }));
  account.profile.display_name = "Late";
  EXPECT_FALSE(*fixture.database->write([&](sql::Tx& tx) { return update_account(tx, account); }));
}

TEST(Accounts, ErasedOnesLeaveAnIdAndNothingElse) {
  Fixture fixture;
  const Account account = fixture.make_account("ann@example.org");
  fixture.make_session(account.user_id, "r1");
  ASSERT_TRUE(fixture.database->write(
      [&](sql::Tx& tx) { return count_login_failure(tx, account.email, fixture.clock.now()); }));
  EXPECT_TRUE(*fixture.database->write(
      [&](sql::Tx& tx) { return erase_account(tx, account.user_id, fixture.clock.now()); }));
  for (const char* table : {"users", "sessions", "refresh_tokens", "api_keys", "login_failures"}) {
    const auto rows = fixture.database->read(
        [&](sql::Tx& tx) { return tx.query(std::string("SELECT COUNT(*) FROM ") + table); });
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->at(0).integer(0), 0) << table;
  }
  EXPECT_EQ(fixture.rotate("r1", "r2"), Rotation::Outcome::unknown);
}

TEST(Refresh, WorksOnceAndItsSecondUseEndsTheSession) {
  Fixture fixture;
  const Account account = fixture.make_account("ann@example.org");
  fixture.make_session(account.user_id, "r1");
  EXPECT_EQ(fixture.rotate("r1", "r2"), Rotation::Outcome::rotated);
  EXPECT_EQ(fixture.rotate("r1", "r3"), Rotation::Outcome::reused);
  EXPECT_EQ(fixture.rotate("r2", "r4"), Rotation::Outcome::ended);
}

TEST(Refresh, EndsAtItsTimeAndNotBefore) {
  Fixture fixture;
  const Account account = fixture.make_account("ann@example.org");
  fixture.make_session(account.user_id, "r1");
  fixture.clock.advance(1h - 1us);
  EXPECT_EQ(fixture.rotate("r1", "r2"), Rotation::Outcome::rotated);
  fixture.clock.advance(1h);
  EXPECT_EQ(fixture.rotate("r2", "r3"), Rotation::Outcome::ended);
}

TEST(Resets, WorkOnceWithinTheirTime) {
  Fixture fixture;
  const Account account = fixture.make_account("ann@example.org");
  const auto make = [&](const char* token) {
    EXPECT_TRUE(fixture.database->write([&](sql::Tx& tx) {
      return insert_password_reset(tx, hash_secret(token), account.user_id, fixture.clock.now(),
                                   fixture.clock.now() + 15min);
    }));
  };
  const auto use = [&](const char* token) {
    return fixture.database->write(
        [&](sql::Tx& tx) { return use_password_reset(tx, hash_secret(token), fixture.clock.now()); });
  };
  make("a");
  EXPECT_EQ(use("b").error().code(), Errc::not_found);
  EXPECT_EQ(*use("a"), account.user_id);
  EXPECT_EQ(use("a").error().code(), Errc::gone);
  make("c");
  fixture.clock.advance(15min);
  EXPECT_EQ(use("c").error().code(), Errc::gone);
}

TEST(Passwords, AreCheckedByTheirRules) {
  EXPECT_EQ(check_password("1234567", "", "password").error().slug(), "weak-password");
  EXPECT_FALSE(check_password("Password1", "", "password"));
  EXPECT_FALSE(check_password("ann@example.org", "ann@example.org", "password"));
  EXPECT_TRUE(check_password(std::string(65, 'x') + "1", "", "password"));
  EXPECT_EQ(login_delay(4), 0s);
  EXPECT_EQ(login_delay(5), 2s);
  EXPECT_EQ(login_delay(6), 4s);
  EXPECT_EQ(login_delay(1000), 15min);
}

TEST(Email, IsComparedInOneForm) {
  EXPECT_EQ(*normalise_email("  Ann.B@Example.ORG "), "ann.b@example.org");
  for (const char* bad : {"", "ann", "@example.org", "a@b", "a@.org", "a@b..org", "a b@example.org",
                          "a@b@c.org", "\"a\"@example.org"}) {
    EXPECT_FALSE(normalise_email(bad)) << bad;
  }
}

}  // namespace
}  // namespace ekiden::user
