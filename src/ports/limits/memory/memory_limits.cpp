#include "ports/limits/memory/memory_limits.hpp"

#include <bit>
#include <cstring>
#include <functional>
#include <limits>
#include <queue>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include <sodium.h>

#include "base/mutex.hpp"
#include "ports/limits/gcra.hpp"

namespace ekiden::limits {
namespace {

/// 128 bits of a keyed hash stand for a key: shorter than most keys, and nobody without the secret finds two
/// alike.
struct KeyHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const KeyHash&, const KeyHash&) = default;
};

struct TakeLow {
  std::size_t operator()(const KeyHash& hash) const { return hash.low; }
};

class Shard {
 public:
  void set_keys_max(std::size_t keys_max) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    keys_max_ = keys_max;
  }

  Decision take(const KeyHash& key, std::int64_t now_ns, const Gcra& gcra, std::int64_t cost)
      EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = tat_ns_.find(key);
    if (found != tat_ns_.end()) {
      const Step decided = step(found->second, now_ns, gcra, cost);
      found->second = decided.tat_ns;
      return decided.decision;
    }
    const Step decided = step(now_ns, now_ns, gcra, cost);
    // A bucket that is still full needs no place.
    if (decided.tat_ns > now_ns) add(key, now_ns, decided.tat_ns);
    return decided.decision;
  }

  std::optional<Decision> known_refusal(const KeyHash& key, std::int64_t now_ns, const Gcra& gcra,
                                        std::int64_t cost) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = tat_ns_.find(key);
    const Step decided = step(found == tat_ns_.end() ? now_ns : found->second, now_ns, gcra, cost);
    if (decided.decision.admitted) return std::nullopt;
    return decided.decision;
  }

  MemoryLimitsFigures figures() const EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return {tat_ns_.size(), evicted_early_};
  }

 private:
  struct Due {
    std::int64_t tat_ns;
    KeyHash key;
    bool operator>(const Due& other) const { return tat_ns > other.tat_ns; }
  };

  void add(const KeyHash& key, std::int64_t now_ns, std::int64_t tat_ns) EKIDEN_REQUIRES(mutex_) {
    // Two full buckets out for each one in: the store shrinks to what is in use.
    for (int i = 0; i < 2 && soonest_ns() <= now_ns; ++i) drop_soonest();
    if (tat_ns_.size() == keys_max_) {
      soonest_ns();
      drop_soonest();
      ++evicted_early_;
    }
    tat_ns_.emplace(key, tat_ns);
    due_.push({tat_ns, key});
  }

  /// When the first bucket will be full. A bucket's entry in the queue lags behind its TAT, which only grows:
  /// an entry that comes up too early is put back at its true time, at most once for each take since it was
  /// put in.
  std::int64_t soonest_ns() EKIDEN_REQUIRES(mutex_) {
    while (!due_.empty()) {
      Due first = due_.top();
      const std::int64_t tat_ns = tat_ns_.find(first.key)->second;
      if (tat_ns == first.tat_ns) return tat_ns;
      due_.pop();
      first.tat_ns = tat_ns;
      due_.push(first);
    }
    return std::numeric_limits<std::int64_t>::max();
  }

  void drop_soonest() EKIDEN_REQUIRES(mutex_) {
    tat_ns_.erase(due_.top().key);
    due_.pop();
  }

  mutable Mutex mutex_;
  std::size_t keys_max_ EKIDEN_GUARDED_BY(mutex_) = 0;
  std::unordered_map<KeyHash, std::int64_t, TakeLow> tat_ns_ EKIDEN_GUARDED_BY(mutex_);
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_ EKIDEN_GUARDED_BY(mutex_);
  std::uint64_t evicted_early_ EKIDEN_GUARDED_BY(mutex_) = 0;
};

class ShardedLimits final : public MemoryLimits {
 public:
  ShardedLimits(const Clock& clock, const MemoryLimitsConfig& config)
      : clock_(clock), secret_(config.hash_secret), shards_(config.shards) {
    static_assert(sizeof(config.hash_secret) == crypto_shorthash_siphashx24_KEYBYTES);
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      const std::size_t remainder = config.keys_max % shards_.size();
      shards_[i].set_keys_max(config.keys_max / shards_.size() + (i < remainder ? 1 : 0));
    }
  }

  Decision take(std::string_view key, const Policy& policy, std::int64_t cost) override {
    const KeyHash hash = hash_of(key);
    return shard_of(hash).take(hash, now_ns(), make_gcra(policy), cost);
  }

  std::optional<Decision> known_refusal(std::string_view key, const Policy& policy,
                                        std::int64_t cost) override {
    const KeyHash hash = hash_of(key);
    return shard_of(hash).known_refusal(hash, now_ns(), make_gcra(policy), cost);
  }

  MemoryLimitsFigures figures() const override {
    MemoryLimitsFigures sum;
    for (const Shard& shard : shards_) {
      const MemoryLimitsFigures one = shard.figures();
      sum.keys += one.keys;
      sum.evicted_early += one.evicted_early;
    }
    return sum;
  }

 private:
  std::int64_t now_ns() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.monotonic().time_since_epoch())
        .count();
  }
  Shard& shard_of(const KeyHash& hash) { return shards_[hash.high & (shards_.size() - 1)]; }
  KeyHash hash_of(std::string_view key) const {
    std::array<unsigned char, crypto_shorthash_siphashx24_BYTES> bytes{};
    crypto_shorthash_siphashx24(bytes.data(), reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                                secret_.data());
    KeyHash hash;
    std::memcpy(&hash.high, bytes.data(), sizeof hash.high);
    std::memcpy(&hash.low, bytes.data() + sizeof hash.high, sizeof hash.low);
    return hash;
  }

  const Clock& clock_;
  const std::array<std::uint8_t, 16> secret_;
  std::vector<Shard> shards_;
};

}  // namespace

std::unique_ptr<MemoryLimits> make_memory_limits(const Clock& clock, const MemoryLimitsConfig& config) {
  if (!std::has_single_bit(config.shards) || config.shards > 1024 || config.keys_max < config.shards ||
      config.keys_max > (std::size_t{1} << 31)) {
    throw std::invalid_argument("rate limits: shards is a power of two up to 1024 and up to keys_max");
  }
  return std::make_unique<ShardedLimits>(clock, config);
}

}  // namespace ekiden::limits
