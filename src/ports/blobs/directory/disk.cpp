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
  return ::fsync(descriptor) == 0 ? 0 : errno;
}

Errno Disk::sync_directory(const std::filesystem::path& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const Errno failed = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  return failed;
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
