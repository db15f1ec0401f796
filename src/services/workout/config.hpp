#pragma once

#include <cstdint>

namespace ekiden::workout {

/// What an operator decides about uploads and their processing (options.cpp has keys, bounds and
/// explanations).
struct WorkoutConfig {
  std::int64_t io_threads = 1;
  std::int64_t requests_max = 1024;
  std::int64_t upload_bytes_max = std::int64_t{128} << 20U;
  std::int64_t upload_files_max = 1000;
  std::int64_t unpacked_bytes_max = std::int64_t{256} << 20U;  ///< of one file out of an archive
  std::int64_t archive_bytes_max = (std::int64_t{1} << 30U) - 1;
  std::int64_t archive_entries_max = 10'000;
  std::int64_t points_max = 2'000'000;
  std::int64_t cpu_threads = 1;
  std::int64_t cpu_queue_max = 64;
  std::int64_t disk_threads = 4;
  std::int64_t disk_queue_max = 256;
  std::int64_t jobs_max = 4;                                 ///< imports at once
  std::int64_t storage_bytes_max = std::int64_t{20} << 30U;  ///< of one person's originals
  std::int64_t uploads_queued_max = 5'000;                   ///< of one person
};

}  // namespace ekiden::workout
