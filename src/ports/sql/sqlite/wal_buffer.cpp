#include "ports/sql/sqlite/wal_buffer.hpp"

#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>

namespace ekiden::sql::sqlite {

/// Lies before the file of the VFS below in memory that SQLite gives.
struct WalBuffer::File {
  sqlite3_file base;
  std::string* gathered;
  sqlite3_int64 start;  ///< where the first gathered byte belongs

  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  const sqlite3_io_methods& methods() { return *below()->pMethods; }

  /// Hands on what is gathered. Where that fails it is gone: SQLite then takes the transaction back.
  int flush() {
    if (gathered->empty()) return SQLITE_OK;
    const int code = methods().xWrite(below(), gathered->data(), static_cast<int>(gathered->size()), start);
    gathered->clear();
    return code;
  }

  int write(const void* data, int size, sqlite3_int64 offset) {
    const auto bytes = static_cast<std::size_t>(size);
    const auto end = start + static_cast<sqlite3_int64>(gathered->size());
    if (!gathered->empty() && (offset != end || gathered->size() + bytes > kGatherMax)) {
      if (const int code = flush(); code != SQLITE_OK) return code;
    }
    try {
      if (gathered->empty()) start = offset;
      gathered->append(static_cast<const char*>(data), bytes);
      return SQLITE_OK;
    } catch (const std::bad_alloc&) {
      const int code = flush();
      return code != SQLITE_OK ? code : methods().xWrite(below(), data, size, offset);
    }
  }
};

namespace {

/// The methods of a log's file; those of locks and shared memory belong to the database's.
template <class File>
constexpr sqlite3_io_methods kLogMethods = {
    .iVersion = 1,
    .xClose =
        [](sqlite3_file* file) {
          File& self = File::of(file);
          const int flushed = self.flush();
          const int closed = self.methods().xClose(self.below());
          const std::unique_ptr<std::string> gone(self.gathered);
          return flushed != SQLITE_OK ? flushed : closed;
        },
    .xRead =
        [](sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
          File& self = File::of(file);
          const int code = self.flush();
          return code != SQLITE_OK ? code : self.methods().xRead(self.below(), into, size, offset);
        },
    .xWrite = [](sqlite3_file* file, const void* data, int size,
                 sqlite3_int64 offset) { return File::of(file).write(data, size, offset); },
    .xTruncate =
        [](sqlite3_file* file, sqlite3_int64 size) {
          File& self = File::of(file);
          const int code = self.flush();
          return code != SQLITE_OK ? code : self.methods().xTruncate(self.below(), size);
        },
    .xSync =
        [](sqlite3_file* file, int flags) {
          File& self = File::of(file);
          const int code = self.flush();
          return code != SQLITE_OK ? code : self.methods().xSync(self.below(), flags);
        },
    .xFileSize =
        [](sqlite3_file* file, sqlite3_int64* size) {
          File& self = File::of(file);
          const int code = self.flush();
          return code != SQLITE_OK ? code : self.methods().xFileSize(self.below(), size);
        },
    .xLock = [](sqlite3_file* file,
                int level) { return File::of(file).methods().xLock(File::of(file).below(), level); },
    .xUnlock = [](sqlite3_file* file,
                  int level) { return File::of(file).methods().xUnlock(File::of(file).below(), level); },
    .xCheckReservedLock =
        [](sqlite3_file* file, int* out) {
          return File::of(file).methods().xCheckReservedLock(File::of(file).below(), out);
        },
    .xFileControl =
        [](sqlite3_file* file, int what, void* argument) {
          return File::of(file).methods().xFileControl(File::of(file).below(), what, argument);
        },
    .xSectorSize =
        [](sqlite3_file* file) { return File::of(file).methods().xSectorSize(File::of(file).below()); },
    .xDeviceCharacteristics =
        [](sqlite3_file* file) {
          return File::of(file).methods().xDeviceCharacteristics(File::of(file).below());
        },
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

}  // namespace

WalBuffer::WalBuffer(const std::string& below)
    : below_(sqlite3_vfs_find(below.empty() ? nullptr : below.c_str())) {
  if (below_ == nullptr) throw std::runtime_error("SQLite has no VFS `" + below + "`");
  // Names are for all of the process, and one lives for each open database.
  name_ = "ekiden-wal-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
  vfs_ = *below_;
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + below_->szOsFile;
  vfs_.pAppData = this;
  vfs_.xOpen = &open;
  if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) throw std::runtime_error("SQLite takes no further VFS");
}

WalBuffer::~WalBuffer() {
  sqlite3_vfs_unregister(&vfs_);
}

int WalBuffer::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* const below = static_cast<const WalBuffer*>(vfs->pAppData)->below_;
  if ((flags & SQLITE_OPEN_WAL) == 0) return below->xOpen(below, name, file, flags, out_flags);
  File& self = File::of(file);
  self.base.pMethods = nullptr;  // Says that xClose is not to be called.
  const int code = below->xOpen(below, name, self.below(), flags, out_flags);
  if (code != SQLITE_OK) {
    // A file that could not be opened may have to be closed all the same.
    if (self.below()->pMethods != nullptr) self.methods().xClose(self.below());
    return code;
  }
  self.gathered = new (std::nothrow) std::string;
  if (self.gathered == nullptr) {
    self.methods().xClose(self.below());
    return SQLITE_NOMEM;
  }
  self.start = 0;
  self.base.pMethods = &kLogMethods<File>;
  return SQLITE_OK;
}

}  // namespace ekiden::sql::sqlite
