#include <gtest/gtest.h>

#include "ports/ranking/contract/ranking_contract.hpp"
#include "ports/ranking/redis/redis_ranking.hpp"
#include "ports/redis_client/testing/redis_place.hpp"

namespace ekiden::ranking::testing {
namespace {

/// A ranking below a prefix of its own on the shared server.
class OnSharedServer final : public Ranking {
 public:
  OnSharedServer() {
    const auto made = inner_->rebuild([](Loader&) -> Result<void> { return {}; });
    if (!made) throw std::runtime_error(made.error().text());
  }
  Result<bool> apply(EventId event, const std::vector<Change>& changes) override {
    return inner_->apply(event, changes);
  }
  Result<std::size_t> apply_batch(
      const std::vector<std::pair<EventId, std::vector<Change>>>& events) override {
    return inner_->apply_batch(events);
  }
  Result<std::vector<Entry>> range(std::string_view board, std::int64_t from,
                                   std::int64_t limit) const override {
    return inner_->range(board, from, limit);
  }
  Result<std::vector<Entry>> range_after(std::string_view board, const Standing& last,
                                         std::int64_t limit) const override {
    return inner_->range_after(board, last, limit);
  }
  Result<std::optional<Entry>> rank(std::string_view board, UserId member) const override {
    return inner_->rank(board, member);
  }
  Result<std::vector<Entry>> around(std::string_view board, UserId member, std::int64_t before,
                                    std::int64_t after) const override {
    return inner_->around(board, member, before, after);
  }
  Result<std::int64_t> size(std::string_view board) const override { return inner_->size(board); }
  std::optional<std::uint64_t> version(std::string_view board) const override {
    return inner_->version(board);
  }
  Result<std::vector<std::string>> boards(std::string_view prefix) const override {
    return inner_->boards(prefix);
  }
  Result<void> rebuild(std::move_only_function<Result<void>(Loader&)> fill) override {
    return inner_->rebuild(std::move(fill));
  }
  void forget(std::string_view board) override { inner_->forget(board); }
  State state() const override { return inner_->state(); }
  Result<State> check() override { return inner_->check(); }
  bool is_shared() const override { return inner_->is_shared(); }

 private:
  redis::testing::OwnClient client_{redis::testing::shared_address()};
  ekiden::testing::KeptLines log_;
  std::unique_ptr<Ranking> inner_ =
      make_redis_ranking(*client_, {.prefix = redis::testing::fresh_prefix()}, client_.random(),
                         client_.clock(), Logger(log_, client_.clock()));
};

INSTANTIATE_TEST_SUITE_P(Redis, RankingContract,
                         ::testing::Values(RankingMaker{
                             "redis", [] { return std::make_unique<OnSharedServer>(); }, 1'500}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace ekiden::ranking::testing
