#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/id.hpp"

namespace ekiden::ranking {

/// 32 well-mixed bits of an id. Ids are made by the platform, never by a client, so no secret seed is needed.
std::uint32_t hash_of(const Uuid& uuid);

/// A set of (32-bit hash, 32-bit value) pairs in open addressing with linear probing: 8 bytes a cell, 1.4
/// to 2.8 cells a pair. What a value stands for lies with the caller, who compares it where hashes are equal.
/// A pair's home is the top bits of its hash, so growing reads and writes memory in order. @threads one
/// writer, or readers
class HashIndex {
 public:
  static constexpr std::uint32_t kNone = 0xFFFF'FFFF;

  HashIndex();
  /// The value under `hash` that `same(value)` accepts, else kNone.
  template <class Same>
  std::uint32_t find(std::uint32_t hash, Same&& same) const {
    for (std::size_t i = home(hash);; i = (i + 1) & mask_) {
      const std::uint64_t cell = cells_[i];
      if (cell == 0) return kNone;
      if (hash_in(cell) == hash && same(value_in(cell))) return value_in(cell);
    }
  }
  /// Adds a pair that is not there. @param value below kNone.
  void insert(std::uint32_t hash, std::uint32_t value);
  /// Removes a pair that is there.
  void erase(std::uint32_t hash, std::uint32_t value);
  /// Makes room for `count` pairs at once.
  void reserve(std::size_t count);
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&cells_[home(hash)]); }
  std::size_t size() const { return size_; }

 private:
  static std::uint32_t hash_in(std::uint64_t cell) { return static_cast<std::uint32_t>(cell >> 32); }
  static std::uint32_t value_in(std::uint64_t cell) { return static_cast<std::uint32_t>(cell) - 1; }
  std::size_t home(std::uint32_t hash) const { return hash >> shift_; }
  void place(std::uint64_t cell);
  void grow(std::size_t cells);

  std::vector<std::uint64_t> cells_;  ///< hash << 32 | value + 1; 0 is empty
  std::size_t mask_;
  unsigned shift_;
  std::size_t size_ = 0;
};

}  // namespace ekiden::ranking
