#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sqlite3.h>

#include "base/random.hpp"

namespace ekiden::sql::testing {

/// What a disk does wrong, set by a test while databases run on it. @threads any
struct DiskFaults {
  static constexpr int kNever = 1 << 30;

  std::atomic<int> log_syncs_left{kNever};   ///< fsyncs of the write-ahead log that still succeed
  std::atomic<int> file_syncs_left{kNever};  ///< of the database file
  std::atomic<int> syncs_failing{kNever};    ///< how many fsyncs fail before the disk is well again
  std::atomic<bool> full{false};             ///< every write to log and file finds no room
  std::atomic<int> syncs_failed{0};
};

/// What was written since the last fsync of each file, so that a power cut can take some of it back. Used by
/// the one thread that writes.
class UnsyncedWrites {
 public:
  struct Write {
    bool is_log = false;
    std::int64_t offset = 0;
    std::string before;  ///< what stood there, zeros beyond the end of the file
  };

  void add(Write write) { writes_.push_back(std::move(write)); }
  void synced(bool is_log) {
    std::erase_if(writes_, [is_log](const Write& write) { return write.is_log == is_log; });
  }

  /// Makes in `folder` the files that a cut at this instant might leave of the database `file`: of each
  /// sector of 512 bytes, any number of its latest writes may be missing.
  void cut(const std::filesystem::path& file, const std::filesystem::path& folder, Random& random) const {
    for (const bool is_log : {false, true}) {
      const std::string suffix = is_log ? "-wal" : "";
      const std::filesystem::path copy = folder / (file.filename().string() + suffix);
      std::filesystem::copy_file(file.string() + suffix, copy);
      std::fstream bytes(copy, std::ios::in | std::ios::out | std::ios::binary);
      std::set<std::int64_t> settled;
      for (auto write = writes_.rbegin(); write != writes_.rend(); ++write) {
        if (write->is_log == is_log) take_back(*write, bytes, settled, random);
      }
    }
  }

 private:
  static void take_back(const Write& write, std::fstream& bytes, std::set<std::int64_t>& settled,
                        Random& random) {
    constexpr std::int64_t kSector = 512;
    const std::int64_t end = write.offset + static_cast<std::int64_t>(write.before.size());
    for (std::int64_t at = write.offset; at < end;) {
      const std::int64_t sector = at / kSector;
      const std::int64_t next = std::min(end, (sector + 1) * kSector);
      if (!settled.contains(sector)) {
        if (random.below(2) == 0) {
          settled.insert(sector);  // This write reached the disk, so the ones before it make no difference.
        } else {
          bytes.seekp(at);
          bytes.write(write.before.data() + (at - write.offset), next - at);
        }
      }
      at = next;
    }
  }

  std::vector<Write> writes_;
};

/// An SQLite VFS over the system's own whose disk has faults. Registered for as long as it lives; one at a
/// time for each name.
class FaultVfs {
 public:
  explicit FaultVfs(std::string name) : name_(std::move(name)), below_(sqlite3_vfs_find(nullptr)) {
    vfs_ = *below_;
    vfs_.zName = name_.c_str();
    vfs_.pNext = nullptr;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + below_->szOsFile;
    vfs_.pAppData = this;
    vfs_.xOpen = &open;
    sqlite3_vfs_register(&vfs_, 0);
  }
  ~FaultVfs() { sqlite3_vfs_unregister(&vfs_); }
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const { return name_; }
  DiskFaults& faults() { return faults_; }

  /// From now on `on_event` is called before each write and each fsync, with what is not yet on the disk.
  /// Set while nothing is written.
  void watch(std::function<void(const UnsyncedWrites&)> on_event) { on_event_ = std::move(on_event); }

 private:
  /// Lies before the system's own file in memory.
  struct File {
    sqlite3_file base;
    FaultVfs* vfs;
    bool is_log;
    sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  static const sqlite3_io_methods* below(sqlite3_file* file) { return of(file)->below()->pMethods; }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    auto* const self = static_cast<FaultVfs*>(vfs->pAppData);
    of(file)->vfs = self;
    of(file)->is_log = (flags & SQLITE_OPEN_WAL) != 0;
    const int code = self->below_->xOpen(self->below_, name, of(file)->below(), flags, out_flags);
    file->pMethods = of(file)->below()->pMethods == nullptr ? nullptr : methods();
    return code;
  }

  static int sync(sqlite3_file* file, int flags) {
    FaultVfs& vfs = *of(file)->vfs;
    if (vfs.on_event_) {
      vfs.on_event_(vfs.unsynced_);
      vfs.unsynced_.synced(of(file)->is_log);
    }
    DiskFaults& faults = vfs.faults_;
    std::atomic<int>& left = of(file)->is_log ? faults.log_syncs_left : faults.file_syncs_left;
    if (left > 0) {
      --left;
      return below(file)->xSync(of(file)->below(), flags);
    }
    if (--faults.syncs_failing <= 0) {
      faults.log_syncs_left = faults.file_syncs_left = DiskFaults::kNever;
    }
    ++faults.syncs_failed;
    return SQLITE_IOERR_FSYNC;
  }

  static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
    FaultVfs& vfs = *of(file)->vfs;
    if (vfs.faults_.full) return SQLITE_FULL;
    if (vfs.on_event_) {
      vfs.on_event_(vfs.unsynced_);
      std::string before(static_cast<std::size_t>(count), '\0');
      below(file)->xRead(of(file)->below(), before.data(), count,
                         offset);  // Zeros where the file is shorter.
      vfs.unsynced_.add({.is_log = of(file)->is_log, .offset = offset, .before = std::move(before)});
    }
    return below(file)->xWrite(of(file)->below(), bytes, count, offset);
  }

  // The rest is the system's.
  static int close(sqlite3_file* f) { return below(f)->xClose(of(f)->below()); }
  static int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
    return below(f)->xRead(of(f)->below(), to, n, at);
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    return below(f)->xTruncate(of(f)->below(), size);
  }
  static int size(sqlite3_file* f, sqlite3_int64* size) { return below(f)->xFileSize(of(f)->below(), size); }
  static int lock(sqlite3_file* f, int level) { return below(f)->xLock(of(f)->below(), level); }
  static int unlock(sqlite3_file* f, int level) { return below(f)->xUnlock(of(f)->below(), level); }
  static int reserved(sqlite3_file* f, int* out) { return below(f)->xCheckReservedLock(of(f)->below(), out); }
  static int control(sqlite3_file* f, int op, void* arg) {
    return below(f)->xFileControl(of(f)->below(), op, arg);
  }
  static int sector(sqlite3_file* f) { return below(f)->xSectorSize(of(f)->below()); }
  static int traits(sqlite3_file* f) { return below(f)->xDeviceCharacteristics(of(f)->below()); }
  static int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
    return below(f)->xShmMap(of(f)->below(), page, size, extend, out);
  }
  static int shm_lock(sqlite3_file* f, int at, int n, int flags) {
    return below(f)->xShmLock(of(f)->below(), at, n, flags);
  }
  static void shm_barrier(sqlite3_file* f) { below(f)->xShmBarrier(of(f)->below()); }
  static int shm_unmap(sqlite3_file* f, int remove) { return below(f)->xShmUnmap(of(f)->below(), remove); }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods kMethods = {
        2,         &close,       &read,      &write,   &truncate, &sync,   &size,
        &lock,     &unlock,      &reserved,  &control, &sector,   &traits, &shm_map,
        &shm_lock, &shm_barrier, &shm_unmap, nullptr,  nullptr};
    return &kMethods;
  }

  const std::string name_;
  sqlite3_vfs* const below_;
  sqlite3_vfs vfs_{};
  DiskFaults faults_;
  std::function<void(const UnsyncedWrites&)> on_event_;
  UnsyncedWrites unsynced_;
};

}  // namespace ekiden::sql::testing
