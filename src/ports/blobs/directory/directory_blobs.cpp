#include "ports/blobs/directory/directory_blobs.hpp"

#include <atomic>
#include <bitset>
#include <cerrno>
#include <set>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
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
  const fs::path& root() const { return root_; }
  fs::path directory_of(const Hash& hash) const { return root_ / hash.to_hex().substr(0, 2); }
  fs::path file_of(const Hash& hash) const {
    const std::string hex = hash.to_hex();
    return root_ / hex.substr(0, 2) / hex;
  }

  /// Makes the directory of a hash, durable in the root. It may be another process's, which has not synced it
  /// yet: so each is synced once by each process.
  Errno prepare(const Hash& hash) EKIDEN_EXCLUDES(mutex_) {
    const std::size_t index = hash.bytes[0];
    {
      const MutexLock lock(mutex_);
      if (durable_.test(index)) return 0;
    }
    if (const Errno failed = disk_->make_directory(directory_of(hash))) return failed;
    if (const Errno failed = disk_->sync_directory(root_)) return failed;
    const MutexLock lock(mutex_);
    durable_.set(index);
    return 0;
  }

 private:
  static constexpr std::size_t kDirectories = 1 << 8;

  const fs::path root_;
  const std::shared_ptr<Disk> disk_;
  Mutex mutex_;
  std::bitset<kDirectories> durable_ EKIDEN_GUARDED_BY(mutex_);
};

/// A file of another size is a damaged one: it is replaced.
bool is_there(const fs::path& target, std::int64_t size) {
  struct stat status{};
  return ::lstat(target.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size == size;
}

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
    if (!is_there(target, size_)) {
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

/// Gives files names in the store, durably: contents before names, names before the return. A few are synced
/// one by one; for many the whole file system is, which costs one wait instead of one each.
class Adoption {
 public:
  explicit Adoption(Layout& layout) : layout_(layout), disk_(layout.disk()) {}

  /// @returns EXDEV and the like where the files cannot be linked into the store: nothing was named.
  Errno run(std::span<const Incoming> files) {
    std::vector<const Incoming*> fresh;
    std::set<fs::path> directories;
    for (const Incoming& file : files) {
      if (const Errno failed = layout_.prepare(file.hash)) return failed;
      directories.insert(layout_.directory_of(file.hash));
      if (!is_there(layout_.file_of(file.hash), file.size)) fresh.push_back(&file);
    }
    if (const Errno failed = sync_contents(fresh)) return failed;
    for (const Incoming* file : fresh) {
      if (const Errno failed = name(*file)) return failed;
    }
    return sync_names(directories);
  }

 private:
  static constexpr std::size_t kFew = 8;

  Errno sync_contents(const std::vector<const Incoming*>& files) {
    const bool are_few = files.size() <= kFew;
    if (!are_few) {
      if (const Errno failed = disk_.sync_all(layout_.root())) return failed;
    }
    for (const Incoming* file : files) {
      const Errno failed = are_few ? disk_.sync_path(file->path) : disk_.check_written(file->path);
      if (failed != 0) return failed;
    }
    return 0;
  }

  Errno name(const Incoming& file) {
    const fs::path target = layout_.file_of(file.hash);
    Errno failed = disk_.link(file.path, target);
    if (failed == EEXIST && is_there(target, file.size)) return 0;
    if (failed != EEXIST) return failed;
    if (failed = disk_.remove(target); failed != 0 && failed != ENOENT) return failed;
    failed = disk_.link(file.path, target);
    // Whoever was faster has the same content.
    return failed == EEXIST ? 0 : failed;
  }

  // Also of blobs that were there: whoever named them may not have come to this line yet.
  Errno sync_names(const std::set<fs::path>& directories) {
    if (directories.size() > kFew) return disk_.sync_all(layout_.root());
    for (const fs::path& directory : directories) {
      if (const Errno failed = disk_.sync_directory(directory)) return failed;
    }
    return 0;
  }

  Layout& layout_;
  Disk& disk_;
};

/// A file, mapped. It is read whole once, so that a disk that cannot read it is an error here and not a
/// signal later.
class Mapped final : public Content {
 public:
  static Result<std::unique_ptr<Content>> map(int descriptor, std::size_t size) {
    auto mapped = std::make_unique<Mapped>();
    if (size == 0) return std::unique_ptr<Content>(std::move(mapped));
    void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (at == MAP_FAILED) return disk_error(errno);
    mapped->bytes_ = {static_cast<const char*>(at), size};
    if (::madvise(at, size, MADV_POPULATE_READ) != 0 && errno != EINVAL) return disk_error(EIO);
    return std::unique_ptr<Content>(std::move(mapped));
  }
  Mapped() = default;
  ~Mapped() override {
    // The call's type is not const; it changes nothing that anyone sees.
    if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  std::string_view bytes() const override { return bytes_; }

 private:
  std::string_view bytes_;
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

  Result<void> adopt(std::span<const Incoming> files) override {
    const Errno failed = Adoption(*layout_).run(files);
    if (failed == 0) return {};
    // Another file system, or one without links.
    if (failed == EXDEV || failed == EPERM || failed == EMLINK || failed == EOPNOTSUPP)
      return Blobs::adopt(files);
    return disk_error(failed);
  }

  Result<std::unique_ptr<Content>> open(const Hash& hash, std::int64_t max) const override {
    const Descriptor file(open_file(hash));
    struct stat status{};
    if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return open_error();
    if (status.st_size > max) return too_large();
    return Mapped::map(file.number(), static_cast<std::size_t>(status.st_size));
  }

  Result<std::size_t> read(const Hash& hash, std::int64_t offset, std::span<char> into) const override {
    if (offset < 0) return Error{Errc::invalid, "offset-below-zero", "an offset is not negative", "offset"};
    const Descriptor file(open_file(hash));
    if (file.number() < 0) return open_error();
    ssize_t got = 0;
    do {
      got = ::pread(file.number(), into.data(), into.size(), offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return disk_error(errno);
    return static_cast<std::size_t>(got);
  }

  Result<std::int64_t> size(const Hash& hash) const override {
    const Descriptor file(open_file(hash));
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

  int open_file(const Hash& hash) const {
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
