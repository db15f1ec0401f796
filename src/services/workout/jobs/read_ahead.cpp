#include "services/workout/jobs/read_ahead.hpp"

#include <fstream>
#include <map>
#include <string>
#include <utility>

#include "base/mutex.hpp"
#include "services/workout/activity/archive/detect.hpp"

namespace ekiden::workout {

namespace {

std::optional<std::string> content_of(const std::filesystem::path& path, std::int64_t bytes) {
  std::ifstream in(path, std::ios::binary);
  std::string content;
  content.resize_and_overwrite(static_cast<std::size_t>(bytes), [&in](char* data, std::size_t room) {
    in.read(data, static_cast<std::streamsize>(room));
    return static_cast<std::size_t>(in.gcount());
  });
  if (!in || std::cmp_not_equal(content.size(), bytes)) return std::nullopt;
  return content;
}

}  // namespace

/// Shared with what is queued on the pool, which may outlive its owner.
class ReadAhead::State {
 public:
  State(ReadLimits limits, const Clock& clock) : limits_(limits), clock_(clock) {}

  /// False where there is no place for it, or it is held already.
  bool hold(const blobs::Hash& hash) EKIDEN_EXCLUDES(mutex_) {
    const Instant now = clock_.monotonic();
    const MutexLock lock(mutex_);
    std::erase_if(held_, [now](const auto& one) { return one.second->since + kKept < now; });
    if (held_.size() >= kHeldMax) return false;
    return held_.try_emplace(hash, std::make_shared<Slot>(Slot{.since = now, .file = {}})).second;
  }

  void read(const blobs::Hash& hash, const std::filesystem::path& path, std::int64_t bytes)
      EKIDEN_EXCLUDES(mutex_) {
    std::shared_ptr<Slot> slot;
    {
      const MutexLock lock(mutex_);
      const auto found = held_.find(hash);
      if (found == held_.end() || found->second->step != Step::queued) return;
      slot = found->second;
      slot->step = Step::reading;
    }
    std::optional<Result<ReadFile>> file;
    const auto content = content_of(path, bytes);
    if (content && activity::detect(*content) != activity::FileKind::zip)
      file = read_file(*content, hash, std::nullopt, limits_);
    const MutexLock lock(mutex_);
    slot->file = std::move(file);
    slot->step = Step::done;
    ended_.notify_all();
  }

  std::optional<Result<ReadFile>> take(const blobs::Hash& hash) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = held_.find(hash);
    if (found == held_.end()) return std::nullopt;
    const std::shared_ptr<Slot> slot = std::move(found->second);
    held_.erase(found);
    // What has not begun stands behind others in the pool's queue, maybe behind the caller.
    if (slot->step == Step::queued) return std::nullopt;
    while (slot->step == Step::reading) ended_.wait(mutex_);
    return std::move(slot->file);
  }

  void forget(const blobs::Hash& hash) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    held_.erase(hash);
  }

 private:
  enum class Step : std::uint8_t { queued, reading, done };
  struct Slot {
    Instant since;
    Step step = Step::queued;
    std::optional<Result<ReadFile>> file;
  };

  const ReadLimits limits_;
  const Clock& clock_;
  Mutex mutex_;
  CondVar ended_;
  std::map<blobs::Hash, std::shared_ptr<Slot>> held_ EKIDEN_GUARDED_BY(mutex_);
};

ReadAhead::ReadAhead(runtime::WorkerPool& cpu, ReadLimits limits, const Clock& clock)
    : cpu_(cpu), state_(std::make_shared<State>(limits, clock)) {}

void ReadAhead::begin(const blobs::Hash& hash, const std::filesystem::path& path, std::int64_t bytes,
                      std::shared_ptr<const void> keep) {
  if (bytes > kBytesMax || !state_->hold(hash)) return;
  const bool is_posted = cpu_.try_post(
      [state = state_, hash, path, bytes, kept = std::move(keep)] { state->read(hash, path, bytes); });
  if (!is_posted) forget(hash);
}

std::optional<Result<ReadFile>> ReadAhead::take(const blobs::Hash& hash) {
  return state_->take(hash);
}

void ReadAhead::forget(const blobs::Hash& hash) {
  state_->forget(hash);
}

}  // namespace ekiden::workout
