#include "services/inventory/service.hpp"

namespace ekiden::inventory {

namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20U;
constexpr InventoryConfig kDefaults;

constexpr Option<std::int64_t> kIoThreads{.key = "inventory.io_threads",
                                          .help = "Threads for requests and input/output.",
                                          .fallback = kDefaults.io_threads,
                                          .min = 1,
                                          .max = 64};
constexpr Option<std::int64_t> kRequestsMax{.key = "inventory.requests_max",
                                            .help = "Requests at once; more get 503.",
                                            .fallback = kDefaults.requests_max,
                                            .min = 1,
                                            .max = 100'000};
constexpr Option<std::int64_t> kDiskThreads{.key = "inventory.disk_threads",
                                            .help = "Threads that write and read photos.",
                                            .fallback = kDefaults.disk_threads,
                                            .min = 1,
                                            .max = 256};
constexpr Option<std::int64_t> kDiskQueueMax{.key = "inventory.disk_queue_max",
                                             .help = "Photos that wait for a thread; more get 503.",
                                             .fallback = kDefaults.disk_queue_max,
                                             .min = 1,
                                             .max = 100'000};
constexpr Option<std::int64_t> kGearMax{.key = "inventory.gear_max",
                                        .help = "Pieces of gear of one person.",
                                        .fallback = kDefaults.gear_max,
                                        .min = 1,
                                        .max = 10'000};
constexpr Option<std::int64_t> kMountingsMax{.key = "inventory.mountings_max",
                                             .help = "Mountings of one part.",
                                             .fallback = kDefaults.mountings_max,
                                             .min = 1,
                                             .max = 10'000};
constexpr Option<std::int64_t> kPhotoBytesMax{.key = "inventory.photo_bytes_max",
                                              .help = "Bytes of one photo.",
                                              .fallback = kDefaults.photo_bytes_max,
                                              .min = 1024,
                                              .max = 64 * kMiB};

}  // namespace

std::vector<OptionInfo> options() {
  return {kIoThreads, kRequestsMax, kDiskThreads, kDiskQueueMax, kGearMax, kMountingsMax, kPhotoBytesMax};
}

InventoryConfig read_config(const Config& config) {
  return {.io_threads = config.get(kIoThreads),
          .requests_max = config.get(kRequestsMax),
          .disk_threads = config.get(kDiskThreads),
          .disk_queue_max = config.get(kDiskQueueMax),
          .gear_max = config.get(kGearMax),
          .mountings_max = config.get(kMountingsMax),
          .photo_bytes_max = config.get(kPhotoBytesMax)};
}

}  // namespace ekiden::inventory
