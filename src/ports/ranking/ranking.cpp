#include "ports/ranking/ranking.hpp"

#include <algorithm>
#include <tuple>

namespace ekiden::ranking {

bool precedes(const Standing& a, const Standing& b) {
  return std::tuple(b.score, a.reached_at, a.member) < std::tuple(a.score, b.reached_at, b.member);
}

Result<void> check_board_name(std::string_view board) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':' || c == '_' || c == '-';
  };
  if (board.empty() || board.size() > kBoardNameMax || !std::ranges::all_of(board, allowed)) {
    return Error{Errc::invalid, "board-name",
                 "a board's name is 1 to 128 bytes of a-z, 0-9, ':', '_' and '-'", "board"};
  }
  return {};
}

Result<void> check_score(std::int64_t score) {
  if (score <= -kScoreEnd || score >= kScoreEnd) {
    return Error{Errc::invalid, "score-out-of-range", "a score stays below 2^53 in size", "score"};
  }
  return {};
}

Result<std::int64_t> add_scores(std::int64_t score, std::int64_t delta) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(score, delta, &sum)) sum = kScoreEnd;
  EKIDEN_CHECK(check_score(sum));
  return sum;
}

Result<void> check_entry_count(std::int64_t count, std::string_view field) {
  if (count < 0 || count > kEntriesMax) {
    return Error{Errc::invalid, "entry-count", "ask for 0 to 10000 entries at a time", std::string(field)};
  }
  return {};
}

}  // namespace ekiden::ranking
