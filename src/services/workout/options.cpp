#include <limits>

#include "services/workout/service.hpp"

namespace ekiden::workout {

namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20U;
constexpr WorkoutConfig kDefaults;

constexpr Option<std::int64_t> kIoThreads{.key = "workout.io_threads",
                                          .help = "Threads for requests and input/output.",
                                          .fallback = kDefaults.io_threads,
                                          .min = 1,
                                          .max = 64};
constexpr Option<std::int64_t> kRequestsMax{.key = "workout.requests_max",
                                            .help = "Requests at once; more get 503.",
                                            .fallback = kDefaults.requests_max,
                                            .min = 1,
                                            .max = 100'000};
constexpr Option<std::int64_t> kUploadBytesMax{.key = "workout.upload_bytes_max",
                                               .help = "Bytes of one upload, all files together.",
                                               .fallback = kDefaults.upload_bytes_max,
                                               .min = 1024,
                                               .max = 1024 * kMiB};
constexpr Option<std::int64_t> kUploadFilesMax{.key = "workout.upload_files_max",
                                               .help = "Files of one upload.",
                                               .fallback = kDefaults.upload_files_max,
                                               .min = 1,
                                               .max = 1000};
constexpr Option<std::int64_t> kUnpackedBytesMax{.key = "workout.unpacked_bytes_max",
                                                 .help = "Bytes of one file out of a .gz or .zip, unpacked.",
                                                 .fallback = kDefaults.unpacked_bytes_max,
                                                 .min = 1024,
                                                 .max = 1024 * kMiB - 1};
constexpr Option<std::int64_t> kArchiveBytesMax{.key = "workout.archive_bytes_max",
                                                .help = "Bytes of all files of a .zip, unpacked.",
                                                .fallback = kDefaults.archive_bytes_max,
                                                .min = 1024,
                                                .max = 16 * 1024 * kMiB};
constexpr Option<std::int64_t> kArchiveEntriesMax{.key = "workout.archive_entries_max",
                                                  .help = "Files in one .zip.",
                                                  .fallback = kDefaults.archive_entries_max,
                                                  .min = 1,
                                                  .max = 100'000};
constexpr Option<std::int64_t> kPointsMax{.key = "workout.points_max",
                                          .help = "Recorded points of one file.",
                                          .fallback = kDefaults.points_max,
                                          .min = 1,
                                          .max = 4'999'999};
constexpr Option<std::int64_t> kCpuThreads{.key = "workout.cpu_threads",
                                           .help = "Threads that parse files and compute figures.",
                                           .fallback = kDefaults.cpu_threads,
                                           .min = 1,
                                           .max = 256};
constexpr Option<std::int64_t> kCpuQueueMax{
    .key = "workout.cpu_queue_max",
    .help = "Computations that wait for a thread; more get 503, imports wait.",
    .fallback = kDefaults.cpu_queue_max,
    .min = 1,
    .max = 10'000};
constexpr Option<std::int64_t> kDiskThreads{.key = "workout.disk_threads",
                                            .help = "Threads that write and read originals.",
                                            .fallback = kDefaults.disk_threads,
                                            .min = 1,
                                            .max = 256};
constexpr Option<std::int64_t> kDiskQueueMax{.key = "workout.disk_queue_max",
                                             .help = "Uploads that wait for a thread; more get 503.",
                                             .fallback = kDefaults.disk_queue_max,
                                             .min = 1,
                                             .max = 100'000};
constexpr Option<std::int64_t> kJobsMax{.key = "workout.jobs_max",
                                        .help = "Uploads that are imported at the same time.",
                                        .fallback = kDefaults.jobs_max,
                                        .min = 1,
                                        .max = 256};
constexpr Option<std::int64_t> kStorageBytesMax{
    .key = "workout.storage_bytes_max",
    .help = "Bytes of one person's originals, each content counted once.",
    .fallback = kDefaults.storage_bytes_max,
    .min = 1024,
    .max = std::numeric_limits<std::int64_t>::max() / 2};
constexpr Option<std::int64_t> kUploadsQueuedMax{.key = "workout.uploads_queued_max",
                                                 .help = "Uploads of one person that wait to be imported.",
                                                 .fallback = kDefaults.uploads_queued_max,
                                                 .min = 1,
                                                 .max = 1'000'000};

}  // namespace

std::vector<OptionInfo> options() {
  return {kIoThreads,       kRequestsMax,       kUploadBytesMax, kUploadFilesMax,  kUnpackedBytesMax,
          kArchiveBytesMax, kArchiveEntriesMax, kPointsMax,      kCpuThreads,      kCpuQueueMax,
          kDiskThreads,     kDiskQueueMax,      kJobsMax,        kStorageBytesMax, kUploadsQueuedMax};
}

WorkoutConfig read_config(const Config& config) {
  return {.io_threads = config.get(kIoThreads),
          .requests_max = config.get(kRequestsMax),
          .upload_bytes_max = config.get(kUploadBytesMax),
          .upload_files_max = config.get(kUploadFilesMax),
          .unpacked_bytes_max = config.get(kUnpackedBytesMax),
          .archive_bytes_max = config.get(kArchiveBytesMax),
          .archive_entries_max = config.get(kArchiveEntriesMax),
          .points_max = config.get(kPointsMax),
          .cpu_threads = config.get(kCpuThreads),
          .cpu_queue_max = config.get(kCpuQueueMax),
          .disk_threads = config.get(kDiskThreads),
          .disk_queue_max = config.get(kDiskQueueMax),
          .jobs_max = config.get(kJobsMax),
          .storage_bytes_max = config.get(kStorageBytesMax),
          .uploads_queued_max = config.get(kUploadsQueuedMax)};
}

}  // namespace ekiden::workout
