#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The few calls to the file system that durability rests on, apart, so that a test can fail or stop each
/// one.
namespace ekiden::blobs {

/// An errno of a failed call, or 0.
using Errno = int;

/// @threads any
class Disk {
 public:
  virtual ~Disk() = default;
  /// Makes a new file for writing and locks it (flock) for as long as the descriptor lives.
  /// @returns the descriptor, or -errno; -EEXIST where the name is taken.
  virtual int create_locked(const std::filesystem::path& file);
  /// Writes all of `piece`, through interruptions and short writes.
  virtual Errno write(int descriptor, std::string_view piece);
  virtual Errno sync_file(int descriptor);
  /// `sync_file` for a file that is not open.
  virtual Errno sync_path(const std::filesystem::path& file);
  /// Makes everything durable that was written to the file system of `directory`, contents and names: for
  /// many files one wait instead of many. A file that could not be written may go unnoticed: ask for each.
  virtual Errno sync_all(const std::filesystem::path& directory);
  /// Whether the content of a file could be written so far, without a wait for the disk's own cache.
  virtual Errno check_written(const std::filesystem::path& file);
  virtual Errno sync_directory(const std::filesystem::path& directory);
  /// Makes one directory; one that is there is well.
  virtual Errno make_directory(const std::filesystem::path& directory);
  virtual Errno rename(const std::filesystem::path& from, const std::filesystem::path& to);
  /// Gives a file a second name; EEXIST where that is taken.
  virtual Errno link(const std::filesystem::path& from, const std::filesystem::path& to);
  virtual Errno remove(const std::filesystem::path& file);
};

}  // namespace ekiden::blobs
