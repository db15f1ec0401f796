#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/random.hpp"

namespace ekiden {

/// 128 bits of RFC 9562. Compared bytewise, so that version 7 sorts by time.
class Uuid {
 public:
  constexpr Uuid() = default;
  explicit constexpr Uuid(std::array<std::uint8_t, 16> bytes) : bytes_(bytes) {}
  /// @errors nullopt where `text` is not 36 characters of the canonical form (lower or upper case).
  static std::optional<Uuid> parse(std::string_view text);
  /// @errors nullopt where there are not exactly 16 bytes.
  static std::optional<Uuid> from_bytes(std::string_view bytes);

  std::string to_string() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  std::string_view as_view() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  bool is_nil() const { return *this == Uuid{}; }

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

/// An id that cannot be mistaken for another kind of id. `Id<struct UserIdTag>`.
template <class Tag>
class Id {
 public:
  constexpr Id() = default;
  explicit constexpr Id(Uuid uuid) : uuid_(uuid) {}
  static std::optional<Id> parse(std::string_view text) {
    const auto uuid = Uuid::parse(text);
    if (!uuid) return std::nullopt;
    return Id{*uuid};
  }
  const Uuid& uuid() const { return uuid_; }
  std::string to_string() const { return uuid_.to_string(); }
  bool is_nil() const { return uuid_.is_nil(); }
  friend constexpr auto operator<=>(const Id&, const Id&) = default;

 private:
  Uuid uuid_;
};

using UserId = Id<struct UserIdTag>;
using WorkoutId = Id<struct WorkoutIdTag>;
using UploadId = Id<struct UploadIdTag>;
using SessionId = Id<struct SessionIdTag>;
using EventId = Id<struct EventIdTag>;

/// Makes UUIDs of version 7: 48 bits of milliseconds, a 12-bit counter within the millisecond, 62 random
/// bits. Ids of one maker are strictly increasing, also when the wall clock stands still or goes back.
/// @threads any
class Ids {
 public:
  Ids(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  Uuid next();
  template <class T>
  T make() {
    return T{next()};
  }

 private:
  const Clock& clock_;
  Random& random_;
  Mutex mutex_;
  std::uint64_t last_ EKIDEN_GUARDED_BY(mutex_) = 0;  ///< milliseconds << 12 | counter
};

}  // namespace ekiden

template <>
struct std::hash<ekiden::Uuid> {
  std::size_t operator()(const ekiden::Uuid& uuid) const noexcept {
    return std::hash<std::string_view>{}(uuid.as_view());
  }
};

template <class Tag>
struct std::hash<ekiden::Id<Tag>> {
  std::size_t operator()(const ekiden::Id<Tag>& id) const noexcept {
    return std::hash<ekiden::Uuid>{}(id.uuid());
  }
};
