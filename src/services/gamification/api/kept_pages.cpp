#include "services/gamification/api/kept_pages.hpp"

#include <utility>

namespace ekiden::gamification {

namespace {

constexpr std::size_t kEntryBytes = 192;  ///< of the map's node and the page's counts, about

std::string key_of(std::string_view board, std::int64_t limit) {
  std::string key(board);
  key += ' ';
  key += std::to_string(limit);
  return key;
}

std::size_t bytes_of(const std::string& key, const KeptPages::Page& page) {
  return key.capacity() + page->capacity() + kEntryBytes;
}

}  // namespace

KeptPages::Page KeptPages::find(std::string_view board, std::int64_t limit, const PageStamp& stamp) {
  const std::string key = key_of(board, limit);
  const MutexLock lock(mutex_);
  if (const auto found = young_.pages.find(key); found != young_.pages.end())
    return found->second.stamp == stamp ? found->second.page : nullptr;
  const auto found = old_.pages.find(key);
  if (found == old_.pages.end() || found->second.stamp != stamp) return nullptr;
  Kept kept = found->second;
  Page page = kept.page;
  put(key, std::move(kept));
  return page;
}

void KeptPages::keep(std::string_view board, std::int64_t limit, const PageStamp& stamp, Page page) {
  const std::string key = key_of(board, limit);
  if (bytes_of(key, page) > half_max_) return;
  const MutexLock lock(mutex_);
  put(key, {.stamp = stamp, .page = std::move(page)});
}

void KeptPages::put(const std::string& key, Kept kept) {
  remove(young_, key);
  remove(old_, key);
  const std::size_t more = bytes_of(key, kept.page);
  if (young_.bytes + more > half_max_) {
    old_ = std::exchange(young_, {});
  }
  young_.bytes += more;
  young_.pages.emplace(key, std::move(kept));
}

void KeptPages::remove(Generation& from, const std::string& key) {
  const auto found = from.pages.find(key);
  if (found == from.pages.end()) return;
  from.bytes -= bytes_of(key, found->second.page);
  from.pages.erase(found);
}

std::size_t KeptPages::bytes() const {
  const MutexLock lock(mutex_);
  return young_.bytes + old_.bytes;
}

}  // namespace ekiden::gamification
