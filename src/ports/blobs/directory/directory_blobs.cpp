#include "ports/blobs/directory/directory_blobs.hpp"

#include <atomic>
#include <bitset>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mutex.hpp"
#include "ports/blobs/sha256.hpp"

namespace ekiden::blobs {
namespace {

namespace fs = std::filesystem;

Error disk_error(Errno reason) {
  if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG) {
    return Error{Errc::storage_full, "storage-full", "the disk is full; nothing was kept"};
  }
  return Error{Errc::unavailable, "disk-failed",
               "the disk does not work: " + std::generic_category().message(reason)};
}

Error lost_error() {
  return Error{Errc::internal, "writer-lost", "this writer has failed or committed before"};
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

/// The directories below the root, and which of them this process knows to be durable.
class Layout {
 public:
  Layout(fs::path root, std::shared_ptr<Disk> disk) : root_(std::move(root)), disk_(std::move(disk)) {}

  Disk& disk() const { return *disk_; }
  fs::path temp() const { return root_ / "tmp"; }
  fs::path directory_of(const Hash& hash) const {
    const std::string hex = hash.to_hex();
    return root_ / hex.substr(0, 2) / hex.substr(2, 2);
  }
  fs::path file_of(const Hash& hash) const { return directory_of(hash) / hash.to_hex(); }

  /// Makes both directories of a hash, each durable in the one above. They may be another process's, which
  /// has not synced them yet: so each is synced once by each process.
  Errno prepare(const Hash& hash) EKIDEN_EXCLUDES(mutex_) {
    const std::size_t inner_index = std::size_t{hash.bytes[0]} << 8U | hash.bytes[1];
    const fs::path inner = directory_of(hash);
    if (const Errno failed = prepare_one(kInner + hash.bytes[0], inner.parent_path())) return failed;
    return prepare_one(inner_index, inner);
  }

 private:
  static constexpr std::size_t kInner = 1 << 16;
  static constexpr std::size_t kOuter = 1 << 8;

  Errno prepare_one(std::size_t index, const fs::path& directory) EKIDEN_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (durable_.test(index)) return 0;
    }
    if (const Errno failed = disk_->make_directory(directory)) return failed;
    if (const Errno failed = disk_->sync_directory(directory.parent_path())) return failed;
    const MutexLock lock(mutex_);
    durable_.set(index);
    return 0;
  }

  const fs::path root_;
  const std::shared_ptr<Disk> disk_;
  Mutex mutex_;
  std::bitset<kInner + kOuter> durable_ EKIDEN_GUARDED_BY(mutex_);
};

class DirectoryWriter final : public Writer {
 public:
  DirectoryWriter(std::shared_ptr<Layout> layout, fs::path temp, int descriptor)
      : layout_(std::move(layout)), disk_(layout_->disk()), temp_(std::move(temp)), file_(descriptor) {}
  ~DirectoryWriter() override { discard(); }

  Result<void> write(std::string_view piece) override {
    if (!alive_) return lost_error();
    if (const Errno failed = disk_.write(file_.number(), piece)) return fail(failed);
    hash_.add(piece);
    size_ += static_cast<std::int64_t>(piece.size());
    return {};
  }

  Result<Hash> commit() override {
    if (!alive_) return lost_error();
    const Hash hash = hash_.finish();
    const fs::path target = layout_->file_of(hash);
    if (const Errno failed = layout_->prepare(hash)) return fail(failed);
    if (!is_there(target)) {
      if (const Errno failed = disk_.sync_file(file_.number())) return fail(failed);
      if (const Errno failed = disk_.rename(temp_, target)) return fail(failed);
      renamed_ = true;
    }
    // Also for a blob that was there: whoever renamed it may not have come to this line yet.
    if (const Errno failed = disk_.sync_directory(target.parent_path())) return fail(failed);
    discard();
    return hash;
  }

  std::int64_t size() const override { return size_; }

 private:
  /// A file of another size is a damaged one: it is replaced.
  bool is_there(const fs::path& target) const {
    struct stat status{};
    return ::lstat(target.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size == size_;
  }

  Error fail(Errno reason) {
    discard();
    return disk_error(reason);
  }

  void discard() {
    if (std::exchange(alive_, false) && !renamed_) (void)disk_.remove(temp_);
  }

  const std::shared_ptr<Layout> layout_;
  Disk& disk_;
  const fs::path temp_;
  const Descriptor file_;
  Sha256 hash_;
  std::int64_t size_ = 0;
  bool alive_ = true;
  bool renamed_ = false;
};

class DirectoryBlobs final : public Blobs {
 public:
  DirectoryBlobs(const fs::path& root, std::shared_ptr<Disk> disk)
      : disk_(*disk), layout_(std::make_shared<Layout>(root, std::move(disk))) {
    Errno failed = 0;
    if (fs::create_directories(root)) failed = disk_.sync_directory(fs::absolute(root).parent_path());
    if (failed == 0) failed = disk_.make_directory(layout_->temp());
    if (failed == 0) failed = disk_.sync_directory(root);
    if (failed != 0) throw std::system_error(failed, std::generic_category(), root.string());
    remove_leftovers();
  }

  Result<std::unique_ptr<Writer>> create() override {
    // A name can be taken: by another store of this process, or a killed process that had the same id.
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const fs::path temp =
          layout_->temp() / (std::to_string(::getpid()) + "-" + std::to_string(++last_temp_));
      const int descriptor = disk_.create_locked(temp);
      if (descriptor >= 0) {
        return std::unique_ptr<Writer>(std::make_unique<DirectoryWriter>(layout_, temp, descriptor));
      }
      if (descriptor != -EEXIST) return disk_error(-descriptor);
    }
    return disk_error(EEXIST);
  }

  Result<std::size_t> read(const Hash& hash, std::int64_t offset, std::span<char> into) const override {
    if (offset < 0) return Error{Errc::invalid, "offset-below-zero", "an offset is not negative", "offset"};
    const Descriptor file(open(hash));
    if (file.number() < 0) return open_error();
    ssize_t got = 0;
    do {
      got = ::pread(file.number(), into.data(), into.size(), offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return disk_error(errno);
    return static_cast<std::size_t>(got);
  }

  Result<std::int64_t> size(const Hash& hash) const override {
    const Descriptor file(open(hash));
    struct stat status{};
    if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return open_error();
    return std::int64_t{status.st_size};
  }

  Result<bool> remove(const Hash& hash) override {
    const Errno failed = disk_.remove(layout_->file_of(hash));
    if (failed == ENOENT) return false;
    if (failed != 0) return disk_error(failed);
    if (const Errno unsynced = disk_.sync_directory(layout_->directory_of(hash))) return disk_error(unsynced);
    return true;
  }

 private:
  static constexpr int kAttempts = 1'000;

  int open(const Hash& hash) const {
    return ::open(layout_->file_of(hash).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  }
  static Error open_error() {
    if (errno == ENOENT) return Error{Errc::not_found, "no-such-blob", "there is no such file"};
    return disk_error(errno);
  }

  void remove_leftovers() {
    for (const fs::directory_entry& entry : fs::directory_iterator(layout_->temp())) {
      const Descriptor file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
      if (file.number() < 0) continue;
      // A file whose writer lives is locked.
      if (::flock(file.number(), LOCK_EX | LOCK_NB) == 0) (void)disk_.remove(entry.path());
    }
  }

  Disk& disk_;  ///< kept alive by the layout, and that by each writer
  const std::shared_ptr<Layout> layout_;
  std::atomic<std::uint64_t> last_temp_{0};
};

}  // namespace

std::unique_ptr<Blobs> make_directory_blobs(const fs::path& root, std::shared_ptr<Disk> disk) {
  return std::make_unique<DirectoryBlobs>(root, std::move(disk));
}

}  // namespace ekiden::blobs
