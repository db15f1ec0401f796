#include "app/data_directory.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ekiden::app {

namespace {

constexpr std::size_t kSecretBytes = 32;

/// Writes a secret so that it is there whole or not at all, for its owner's eyes only. False where it was
/// there already.
bool write_secret(const std::filesystem::path& file, std::string_view bytes) {
  const std::filesystem::path fresh = file.string() + ".new." + std::to_string(::getpid());
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), file.string());
  const bool written =
      ::write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
      ::fsync(descriptor) == 0;
  ::close(descriptor);
  // Two processes may start at once: a link never replaces what the other has made.
  const bool linked = written && ::link(fresh.c_str(), file.c_str()) == 0;
  const int reason = errno;
  ::unlink(fresh.c_str());
  if (!linked && reason != EEXIST) throw std::system_error(reason, std::generic_category(), file.string());
  return linked;
}

std::string read_secret(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  if (bytes.size() != kSecretBytes)
    throw std::runtime_error(file.string() + " is damaged: it must have 32 bytes");
  return bytes;
}

std::string secret(const std::filesystem::path& file, Random& random) {
  if (!std::filesystem::exists(file)) {
    std::string bytes(kSecretBytes, '\0');
    random.fill(std::as_writable_bytes(std::span{bytes}));
    write_secret(file, bytes);
  }
  return read_secret(file);
}

}  // namespace

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) {
    return Error{Errc::invalid, "bad-data-directory",
                 "the data directory " + directory.string() + " cannot be made: " + failed.message(), "data"};
  }
  const std::filesystem::path file = directory / "lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return Error{Errc::invalid, "bad-data-directory",
                 file.string() + " cannot be opened: " + std::generic_category().message(errno), "data"};
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return Error{Errc::busy, "data-in-use", "another server works on " + directory.string(), "data"};
  }
  return std::unique_ptr<DirectoryLock>(new DirectoryLock(descriptor));
}

DirectoryLock::~DirectoryLock() {
  ::close(descriptor_);
}

void make_private_folder(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  ::chmod(folder.c_str(), 0700);
}

Secrets load_secrets(const std::filesystem::path& folder, Random& random) {
  Secrets secrets;
  const std::string seed = secret(folder / "access-token.key", random);
  std::memcpy(secrets.token_seed.bytes.data(), seed.data(), secrets.token_seed.bytes.size());
  secrets.cursor_key = secret(folder / "cursor.key", random);
  secrets.cluster.current = secret(folder / "cluster.key", random);
  const std::filesystem::path previous = folder / "cluster.previous.key";
  if (std::filesystem::exists(previous)) secrets.cluster.previous = read_secret(previous);
  return secrets;
}

}  // namespace ekiden::app
