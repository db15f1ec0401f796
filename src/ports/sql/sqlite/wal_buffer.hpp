#pragma once

#include <string>

#include <sqlite3.h>

namespace ekiden::sql::sqlite {

/// An SQLite VFS over another one that gathers what is written to a write-ahead log and hands it on in one
/// piece: SQLite writes a page and its header by two calls, and a commit has dozens of pages. What is
/// gathered is written before every fsync, before every look at the file, and at the latest at `kGatherMax`.
///
/// Only for `synchronous=FULL`: there every commit has its fsync before SQLite tells other connections, which
/// read the log through files of their own, that the pages are there. Database files are passed through.
/// Registered with SQLite as long as it lives; it outlives the connections that use it. @threads any
class WalBuffer {
 public:
  /// @param below name of the VFS to build on; empty for the system's. @throws std::runtime_error where there
  /// is no such VFS, or SQLite refuses a further one.
  explicit WalBuffer(const std::string& below);
  ~WalBuffer();
  WalBuffer(const WalBuffer&) = delete;
  WalBuffer& operator=(const WalBuffer&) = delete;

  const std::string& name() const { return name_; }

  /// SQLite's own VFS takes less than 128 KiB at once.
  static constexpr std::size_t kGatherMax = std::size_t{124} << 10U;

 private:
  struct File;

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags);

  sqlite3_vfs* below_;
  std::string name_;
  sqlite3_vfs vfs_;
};

}  // namespace ekiden::sql::sqlite
