#include "ports/ranking/redis/batch.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "ports/ranking/redis/encoding.hpp"

namespace ekiden::ranking {
namespace {

/// Beyond this, no score that there can be stays within its bounds.
constexpr std::int64_t kDeltaEnd = 2 * kScoreEnd;

/// The decimal digits of a number, without memory of their own.
class Digits {
 public:
  explicit Digits(std::int64_t value)
      : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), value).ptr) {}
  std::string_view view() const { return {digits_.data(), end_}; }

 private:
  std::array<char, 24> digits_{};
  const char* end_;
};

}  // namespace

Result<void> check_changes(const std::vector<Change>& changes) {
  if (changes.size() > kChangesMax) {
    return Error{Errc::invalid, "too-many-changes", "an event has at most 100000 changes", "changes"};
  }
  for (const Change& change : changes) {
    EKIDEN_CHECK(check_board_name(change.board));
    if (change.delta <= -kDeltaEnd || change.delta >= kDeltaEnd) return check_score(kScoreEnd);
  }
  if (is_tame(changes)) return {};
  // Sums on the way may be as large as one likes: a member's may not leave what any score could bear.
  for (std::size_t i = 0; i < changes.size(); ++i) {
    std::int64_t sum = 0;
    for (std::size_t j = 0; j <= i; ++j) {
      if (changes[j].member != changes[i].member || changes[j].board != changes[i].board) continue;
      sum += changes[j].delta;
      if (sum <= -kDeltaEnd || sum >= kDeltaEnd) return check_score(kScoreEnd);
    }
  }
  return {};
}

bool is_tame(const std::vector<Change>& changes) {
  return std::ranges::all_of(
      changes, [](const Change& change) { return change.delta > -kTameDelta && change.delta < kTameDelta; });
}

void Batch::add(const EventChanges& event) {
  ++events_;
  const auto& [id, changes] = event;
  std::string name = encoding::event_bucket(id);
  const auto same = [&name](const Bucket& bucket) { return bucket.name == name; };
  auto bucket = std::ranges::find_if(buckets_, same);
  if (bucket == buckets_.end()) bucket = buckets_.insert(bucket, Bucket{std::move(name), {}});
  bucket->ids.push_back(id);
  for (const Change& change : changes) {
    const auto [found, is_new] = board_index_.try_emplace(change.board, boards_.size());
    if (is_new) boards_.push_back({.name = change.board, .sums = {}, .index = {}});
    add(boards_[found->second], change);
  }
}

void Batch::add(BoardSums& board, const Change& change) {
  const auto [found, is_new] = board.index.try_emplace(change.member, board.sums.size());
  if (is_new) {
    ++changes_;
    board.sums.push_back({.member = change.member,
                          .sum = change.delta,
                          .low = std::min<std::int64_t>(0, change.delta),
                          .high = std::max<std::int64_t>(0, change.delta),
                          .is_single = true,
                          .reached_at = change.reached_at});
    return;
  }
  Sum& sum = board.sums[found->second];
  sum.sum += change.delta;
  sum.low = std::min(sum.low, sum.sum);
  sum.high = std::max(sum.high, sum.sum);
  sum.is_single = false;
  sum.reached_at = change.reached_at;
}

std::vector<EventId> Batch::order() const {
  std::vector<EventId> ids;
  ids.reserve(events_);
  for (const Bucket& bucket : buckets_) ids.insert(ids.end(), bucket.ids.begin(), bucket.ids.end());
  return ids;
}

void Batch::write(redis::ScriptCall& call) const {
  call.reserve(events_ * 26 + changes_ * 60 + boards_.size() * 64);
  call.add(buckets_.size());
  for (const Bucket& bucket : buckets_) {
    call.add(bucket.name).add(bucket.ids.size());
    for (const EventId& id : bucket.ids) call.add(id.uuid().as_view());
  }
  call.add(boards_.size());
  for (const BoardSums& board : boards_) {
    call.add(board.name).add(board.sums.size());
    for (const Sum& sum : board.sums) {
      call.add(sum.member.uuid().as_view()).add(encoding::time_bytes(sum.reached_at));
      if (sum.is_single) {
        call.add(Digits(sum.sum).view());
      } else {
        call.add(std::to_string(sum.sum) + " " + std::to_string(sum.low) + " " + std::to_string(sum.high));
      }
    }
  }
}

}  // namespace ekiden::ranking
