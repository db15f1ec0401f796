#pragma once

// What the contract of the SQL port needs of an adapter, and the helpers of its tests.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::sql::contract {

struct Opening {
  std::size_t queue_max = 1024;  ///< transactions that may wait, of one kind of access
  const Clock* clock = nullptr;  ///< never null; outlives the database
};

/// A fresh place for tables: a file, a schema. Empty when made, gone when destroyed.
class Place {
 public:
  virtual ~Place() = default;
  /// Opens it, also while it is open already: the databases then share their tables.
  virtual std::unique_ptr<Database> open(const Opening& opening) = 0;
};

/// An adapter's part: `INSTANTIATE_TEST_SUITE_P(X, SqlContract, ::testing::Values(Maker{"x", make}),
/// name_of)`.
struct Maker {
  std::string name;
  std::function<std::unique_ptr<Place>()> make;
  friend std::ostream& operator<<(std::ostream& out, const Maker& maker) { return out << maker.name; }
};

inline std::string name_of(const ::testing::TestParamInfo<Maker>& info) {
  return info.param.name;
}

/// A door that is shut until it is opened once. @threads any
class Gate {
 public:
  void open() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    is_open_ = true;
    opened_.notify_all();
  }
  void pass() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (!is_open_) opened_.wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar opened_;
  bool is_open_ EKIDEN_GUARDED_BY(mutex_) = false;
};

/// Waits until it has been told as often as it was made for. @threads any
class Countdown {
 public:
  explicit Countdown(std::size_t left) : left_(left) {}
  void tell() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (--left_ == 0) done_.notify_all();
  }
  void wait() EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (left_ > 0) done_.wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar done_;
  std::size_t left_ EKIDEN_GUARDED_BY(mutex_);
};

/// Runs `work(i)` on `count` threads and waits for all.
template <class Work>
void on_threads(int count, Work work) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

/// Prints the error where there is one.
template <class T>
::testing::AssertionResult ok(const Result<T>& result) {
  if (result) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << to_string(result.error().code()) << " " << result.error().slug() << ": " << result.error().text();
}

template <class T>
::testing::AssertionResult fails(const Result<T>& result, Errc code, std::string_view slug = {}) {
  if (result) return ::testing::AssertionFailure() << "it succeeded";
  if (result.error().code() == code && (slug.empty() || result.error().slug() == slug)) {
    return ::testing::AssertionSuccess();
  }
  return ok(result);
}

/// What it holds; a failed test and zero where it holds an error.
template <class T>
T value_of(const Result<T>& result) {
  EXPECT_TRUE(ok(result));
  return result ? *result : T{};
}

/// One statement in a transaction of its own. @returns the rows it changed.
inline Result<std::int64_t> write(Database& database, std::string_view statement, const Params& params = {}) {
  return database.write([&](Tx& tx) { return tx.execute(statement, params); });
}

inline Result<Rows> read(Database& database, std::string_view statement, const Params& params = {}) {
  return database.read([&](Tx& tx) { return tx.query(statement, params); });
}

/// The first column of the only row, -1 where there is none.
inline std::int64_t number(Database& database, std::string_view statement, const Params& params = {}) {
  const Result<Rows> rows = read(database, statement, params);
  EXPECT_TRUE(ok(rows)) << statement;
  return rows && rows->size() == 1 ? rows->front().integer(0) : -1;
}

class SqlContract : public ::testing::TestWithParam<Maker> {
 protected:
  void SetUp() override {
    place_ = GetParam().make();
    database_ = open();
  }

  std::unique_ptr<Database> open(std::size_t queue_max = 1024) {
    return place_->open({.queue_max = queue_max, .clock = &clock_});
  }
  Database& db() { return *database_; }

  /// `items (id, name, amount)`: id is the key, names are unique, amounts are not negative.
  void make_items() {
    ASSERT_TRUE(ok(write(db(),
                         "CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT UNIQUE, "
                         "amount BIGINT NOT NULL CHECK (amount >= 0))")));
  }
  std::int64_t items() { return number(db(), "SELECT count(*) FROM items"); }

  static constexpr std::string_view kInsert = "INSERT INTO items (id, name, amount) VALUES ($1, $2, $3)";

  const SystemClock clock_;
  std::unique_ptr<Place> place_;
  std::unique_ptr<Database> database_;
};

}  // namespace ekiden::sql::contract
