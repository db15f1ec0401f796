#pragma once

#include <cstdint>

namespace ekiden::inventory {

/// What an operator decides about gear (options.cpp has keys, bounds and explanations).
struct InventoryConfig {
  std::int64_t io_threads = 1;
  std::int64_t requests_max = 1024;
  std::int64_t disk_threads = 2;
  std::int64_t disk_queue_max = 128;
  std::int64_t gear_max = 500;                            ///< of one person
  std::int64_t mountings_max = 200;                       ///< of one part
  std::int64_t photo_bytes_max = std::int64_t{8} << 20U;  ///< of one photo
};

}  // namespace ekiden::inventory
