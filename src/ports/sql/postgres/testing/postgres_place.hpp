#pragma once

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

#include "base/random.hpp"
#include "base/testing/kept_lines.hpp"
#include "ports/sql/contract/sql_harness.hpp"
#include "ports/sql/postgres/postgres.hpp"

namespace ekiden::sql::testing {

/// The server that `tools/with_servers postgres -- …` has started. @throws std::runtime_error where none is.
inline std::string postgres_url() {
  const char* const url = std::getenv("EKIDEN_TEST_POSTGRES");
  if (url == nullptr || *url == '\0')
    throw std::runtime_error(
        "EKIDEN_TEST_POSTGRES is not set: run this by tools/with_servers postgres -- PROGRAM");
  return url;
}

/// A schema that no other test of this server uses.
inline std::string fresh_schema() {
  static std::atomic<int> made{0};
  return "test_" + std::to_string(::getpid()) + "_" + std::to_string(++made);
}

/// A schema of its own on the tests' server, dropped at the end; `adjust` changes the configuration before
/// each opening.
class PostgresPlace final : public contract::Place {
 public:
  using Adjust = std::function<void(PostgresConfig&)>;
  explicit PostgresPlace(Adjust adjust = {}, std::string url = postgres_url())
      : adjust_(std::move(adjust)), url_(std::move(url)) {}
  ~PostgresPlace() override {
    const SystemClock clock;
    // From another schema: a commit leaves its number in its own.
    PostgresConfig config{.url = url_, .schema = "ekiden_tests", .connections = 1};
    const auto database = make_postgres(std::move(config), clock, random_, Logger(lines_, clock));
    if (!database) return;
    const auto dropped = (*database)->change_schema(
        [this](Tx& tx) { return tx.execute("DROP SCHEMA IF EXISTS " + schema_ + " CASCADE"); });
    EXPECT_TRUE(contract::ok(dropped));
  }
  PostgresPlace(const PostgresPlace&) = delete;
  PostgresPlace& operator=(const PostgresPlace&) = delete;

  std::unique_ptr<Database> open(const contract::Opening& opening) override {
    PostgresConfig config{.url = url_, .schema = schema_, .queue_max = opening.queue_max};
    if (adjust_) adjust_(config);
    auto made = make_postgres(std::move(config), *opening.clock, random_, Logger(lines_, *opening.clock));
    if (!made) throw std::runtime_error(made.error().text());
    return std::move(*made);
  }

  const std::string& schema() const { return schema_; }
  const ekiden::testing::KeptLines& lines() const { return lines_; }

 private:
  Adjust adjust_;
  const std::string url_;
  const std::string schema_ = fresh_schema();
  SystemRandom random_;
  ekiden::testing::KeptLines lines_;
};

}  // namespace ekiden::sql::testing
