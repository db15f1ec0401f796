#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.hpp"
#include "ports/ranking/ranking.hpp"

namespace ekiden::gamification {

/// What a page was made of. Of two with equal stamps one can stand for the other.
struct PageStamp {
  std::uint64_t board = 0;  ///< Ranking::version
  std::uint64_t names = 0;  ///< NameDirectory::version
  ranking::State state = ranking::State::ready;
  friend bool operator==(const PageStamp&, const PageStamp&) = default;
};

/// First pages of boards as they were written last, the same for every reader: a board is asked for much more
/// often than it changes. A page that something has changed behind is not found again, so nothing has to be
/// told here. Those that nobody asks for give way. @threads any
class KeptPages {
 public:
  static constexpr std::size_t kBytesMax = std::size_t{4} << 20;
  using Page = std::shared_ptr<const std::string>;

  /// @param bytes_max what all pages take together, at the most.
  explicit KeptPages(std::size_t bytes_max = kBytesMax) : half_max_(bytes_max / 2) {}

  /// Null where there is none with this stamp.
  Page find(std::string_view board, std::int64_t limit, const PageStamp& stamp) EKIDEN_EXCLUDES(mutex_);
  /// Replaces a page of this board and limit. One that is larger than half of the room is not kept.
  /// @param stamp asked for before anything that is on the page was read.
  void keep(std::string_view board, std::int64_t limit, const PageStamp& stamp, Page page)
      EKIDEN_EXCLUDES(mutex_);
  std::size_t bytes() const EKIDEN_EXCLUDES(mutex_);

 private:
  struct Kept {
    PageStamp stamp;
    Page page;
  };
  /// Pages that were asked for since its beginning. The one before it is dropped as a whole, so that those in
  /// use are kept with no list to be reordered at every read.
  struct Generation {
    std::unordered_map<std::string, Kept> pages;
    std::size_t bytes = 0;
  };
  void put(const std::string& key, Kept kept) EKIDEN_REQUIRES(mutex_);
  static void remove(Generation& from, const std::string& key);

  const std::size_t half_max_;
  mutable Mutex mutex_;
  Generation young_ EKIDEN_GUARDED_BY(mutex_);
  Generation old_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::gamification
