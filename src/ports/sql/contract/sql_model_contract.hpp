#pragma once

// A std::map walks beside the database through a random history of transactions, batches, refusals and
// rollbacks. EKIDEN_TEST_SEED repeats one history.

#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/testing/seeded_random.hpp"
#include "ports/sql/contract/sql_harness.hpp"

namespace ekiden::sql::contract {

/// The table `items` as it should be.
class ItemsModel {
 public:
  ItemsModel(Database& database, std::uint64_t seed) : database_(database), random_(seed) {}

  /// One transaction of up to five steps; it is given up at the end one time in four.
  void transact() {
    auto next = items_;
    std::optional<Errc> expected;
    const bool gives_up = below(4) == 0;
    const auto steps = below(5) + 1;
    const std::uint64_t seed = below(1'000'000'000);
    const Result<void> outcome = database_.write([&](Tx& tx) -> Result<void> {
      next = items_;  // The body may run more than once, and must then do the same again.
      expected.reset();
      ekiden::testing::SeededRandom random(seed);
      for (std::uint64_t i = 0; i < steps; ++i) {
        expected = step(tx, next, random);
        if (expected) return {};  // The error is remembered by the transaction.
      }
      if (gives_up) return Error{Errc::gone, "given-up", "given up"};
      return {};
    });
    if (!expected && gives_up) expected = Errc::gone;
    if (expected) {
      EXPECT_TRUE(fails(outcome, *expected));
    } else {
      EXPECT_TRUE(ok(outcome));
      items_ = next;
    }
  }

  void compare() {
    const Result<Rows> rows = read(database_, "SELECT id, amount FROM items ORDER BY id");
    ASSERT_TRUE(ok(rows));
    std::map<std::int64_t, std::int64_t> seen;
    for (const Row& row : *rows) seen[row.integer(0)] = row.integer(1);
    EXPECT_EQ(seen, items_);
  }

 private:
  using Items = std::map<std::int64_t, std::int64_t>;
  static constexpr std::uint64_t kIds = 24;

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }

  /// @returns the error that this step must meet.
  static std::optional<Errc> step(Tx& tx, Items& items, Random& random) {
    const auto id = static_cast<std::int64_t>(random.below(kIds));
    const auto amount = static_cast<std::int64_t>(random.below(100));
    switch (random.below(5)) {
      case 0:
        return insert(tx, items, id, amount);
      case 1:
        return upsert(tx, items, id, amount);
      case 2:
        return take(tx, items, id, amount);
      case 3:
        return insert_two(tx, items, id, amount);
      default:
        return erase_upwards(tx, items, id + static_cast<std::int64_t>(kIds) / 2);
    }
  }

  static std::optional<Errc> insert(Tx& tx, Items& items, std::int64_t id, std::int64_t amount) {
    const auto done = tx.execute("INSERT INTO items (id, amount) VALUES ($1, $2)", {id, amount});
    const bool fresh = items.emplace(id, amount).second;
    EXPECT_EQ(done.has_value(), fresh);
    return fresh ? std::nullopt : std::optional(Errc::conflict);
  }

  static std::optional<Errc> upsert(Tx& tx, Items& items, std::int64_t id, std::int64_t amount) {
    const auto rows = tx.query(
        "INSERT INTO items (id, amount) VALUES ($1, $2) "
        "ON CONFLICT (id) DO UPDATE SET amount = items.amount + excluded.amount RETURNING amount",
        {id, amount});
    items[id] += amount;
    EXPECT_TRUE(ok(rows));
    if (rows) EXPECT_EQ(rows->at(0).integer(0), items[id]);
    return std::nullopt;
  }

  static std::optional<Errc> take(Tx& tx, Items& items, std::int64_t id, std::int64_t amount) {
    const auto done = tx.execute("UPDATE items SET amount = amount - $2 WHERE id = $1", {id, amount});
    const auto found = items.find(id);
    if (found == items.end()) {
      EXPECT_EQ(done.value_or(-1), 0);
      return std::nullopt;
    }
    found->second -= amount;
    EXPECT_EQ(done.has_value(), found->second >= 0);
    return found->second >= 0 ? std::nullopt : std::optional(Errc::conflict);
  }

  static std::optional<Errc> insert_two(Tx& tx, Items& items, std::int64_t id, std::int64_t amount) {
    const auto done = tx.execute_batch("INSERT INTO items (id, amount) VALUES ($1, $2)",
                                       {{id, amount}, {id + 100, amount}});
    const bool fresh = !items.contains(id) && !items.contains(id + 100);
    EXPECT_EQ(done.has_value(), fresh);
    items[id] = items[id + 100] = amount;
    return fresh ? std::nullopt : std::optional(Errc::conflict);
  }

  static std::optional<Errc> erase_upwards(Tx& tx, Items& items, std::int64_t from) {
    const auto done = tx.execute("DELETE FROM items WHERE id >= $1", {from});
    const auto erased = std::erase_if(items, [from](const auto& item) { return item.first >= from; });
    EXPECT_EQ(done.value_or(-1), static_cast<std::int64_t>(erased));
    return std::nullopt;
  }

  Database& database_;
  ekiden::testing::SeededRandom random_;
  Items items_;
};

TEST_P(SqlContract, BehavesAsAMapThroughARandomHistory) {
  make_items();
  std::vector<std::uint64_t> seeds = {1, 20261122, 987654321};
  if (const char* seed = std::getenv("EKIDEN_TEST_SEED")) seeds = {std::strtoull(seed, nullptr, 10)};
  for (const std::uint64_t seed : seeds) {
    SCOPED_TRACE("EKIDEN_TEST_SEED=" + std::to_string(seed));
    ASSERT_TRUE(ok(write(db(), "DELETE FROM items")));
    ItemsModel model(db(), seed);
    for (int i = 0; i < 120 && !HasFailure(); ++i) {
      model.transact();
      if (i % 4 == 0) model.compare();
    }
    model.compare();
  }
}

}  // namespace ekiden::sql::contract
