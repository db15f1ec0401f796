#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "ports/blobs/blobs.hpp"
#include "runtime/worker_pool.hpp"
#include "services/workout/domain/reading.hpp"

namespace ekiden::workout {

/// Reads received files while they are being made durable: what the disk takes for that would else be idle
/// time. It holds a few results for a short while and promises nothing: whoever finds none reads the file.
/// @threads any
class ReadAhead {
 public:
  static constexpr std::size_t kHeldMax = 4;
  static constexpr std::int64_t kBytesMax = std::int64_t{4} << 20U;  ///< of a file
  /// After that nobody comes for a result any more: the job runs elsewhere, or is not to be.
  static constexpr std::chrono::seconds kKept{10};

  ReadAhead(runtime::WorkerPool& cpu, ReadLimits limits, const Clock& clock);

  /// Begins to read a file, unless it is large, an archive, being read already, or too many are held.
  /// @param keep  what keeps the file at its path until it has been read.
  void begin(const blobs::Hash& hash, const std::filesystem::path& path, std::int64_t bytes,
             std::shared_ptr<const void> keep);

  /// What reading it came to, once; waits for the end where it is being read at this moment. Errors are those
  /// of `read_file`.
  std::optional<Result<ReadFile>> take(const blobs::Hash& hash);

  /// Nobody will ask for it.
  void forget(const blobs::Hash& hash);

 private:
  class State;
  runtime::WorkerPool& cpu_;
  const std::shared_ptr<State> state_;
};

}  // namespace ekiden::workout
