#pragma once

#include <cstddef>
#include <memory>

#include "ports/ranking/ranking.hpp"

namespace ekiden::ranking {

struct MemoryRankingConfig {
  /// How many applied event ids are remembered: 1 to 2^31, 27 to 39 bytes each once seen. Older redeliveries
  /// are the caller's inbox's to catch.
  std::size_t event_window_max = 1'000'000;
  /// Whether the empty store counts as whole. Memory has always forgotten: where a ledger exists, leave it
  /// false, and `apply` answers `gone` until the first rebuild.
  bool ready_when_empty = false;
};

/// Boards in this process: order-statistic trees, rebuilt from the ledger at start. One event is applied at a
/// time; a read waits for the change of one member of its own board at most, never for other boards.
/// @throws std::invalid_argument for a window out of bounds.
std::unique_ptr<Ranking> make_memory_ranking(const MemoryRankingConfig& config = {});

}  // namespace ekiden::ranking
