#include "ports/blobs/directory/disk.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ekiden::blobs {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

Errno sync_opened(const std::filesystem::path& path, int flags, int (*sync)(int)) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const Errno failed = sync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  return failed;
}

}  // namespace

int Disk::create_locked(const std::filesystem::path& file) {
  const int descriptor =
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kFileMode);
  if (descriptor < 0) return -errno;
  // Between open and flock a starting process may have taken the file for a left-over and removed it.
  struct stat status{};
  int failed = 0;
  do {
    failed = ::flock(descriptor, LOCK_EX);
  } while (failed != 0 && errno == EINTR);
  if (failed == 0) failed = ::fstat(descriptor, &status);
  if (failed == 0 && status.st_nlink > 0) return descriptor;
  const int reason = failed != 0 ? errno : EEXIST;
  ::close(descriptor);
  return -reason;
}

Errno Disk::write(int descriptor, std::string_view piece) {
  while (!piece.empty()) {
    const ssize_t written = ::write(descriptor, piece.data(), piece.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    piece.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

Errno Disk::sync_file(int descriptor) {
  return ::fdatasync(descriptor) == 0 ? 0 : errno;
}

Errno Disk::sync_path(const std::filesystem::path& file) {
  return sync_opened(file, O_RDONLY | O_NOFOLLOW, ::fdatasync);
}

Errno Disk::sync_all(const std::filesystem::path& directory) {
  return sync_opened(directory, O_RDONLY | O_DIRECTORY, ::syncfs);
}

Errno Disk::check_written(const std::filesystem::path& file) {
  const auto wait = [](int descriptor) {
    constexpr unsigned kAll =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    return ::sync_file_range(descriptor, 0, 0, kAll);
  };
  return sync_opened(file, O_RDONLY | O_NOFOLLOW, wait);
}

Errno Disk::sync_directory(const std::filesystem::path& directory) {
  return sync_opened(directory, O_RDONLY | O_DIRECTORY, ::fsync);
}

Errno Disk::link(const std::filesystem::path& from, const std::filesystem::path& to) {
  return ::link(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

Errno Disk::make_directory(const std::filesystem::path& directory) {
  return ::mkdir(directory.c_str(), kDirectoryMode) == 0 || errno == EEXIST ? 0 : errno;
}

Errno Disk::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

Errno Disk::remove(const std::filesystem::path& file) {
  return ::unlink(file.c_str()) == 0 ? 0 : errno;
}

}  // namespace ekiden::blobs
