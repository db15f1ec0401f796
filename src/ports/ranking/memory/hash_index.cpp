#include "ports/ranking/memory/hash_index.hpp"

#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace ekiden::ranking {
namespace {

constexpr std::size_t kCellsMin = 8;

}  // namespace

std::uint32_t hash_of(const Uuid& uuid) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, uuid.bytes().data(), sizeof high);
  std::memcpy(&low, uuid.bytes().data() + sizeof high, sizeof low);
  std::uint64_t mixed = (high ^ (high >> 29)) * 0x9E37'79B9'7F4A'7C15ULL;
  mixed = (mixed ^ (mixed >> 32) ^ low) * 0xD6E8'FEB8'6659'FD93ULL;
  mixed = (mixed ^ (mixed >> 32)) * 0xD6E8'FEB8'6659'FD93ULL;
  return static_cast<std::uint32_t>(mixed >> 32);
}

HashIndex::HashIndex()
    : cells_(kCellsMin), mask_(kCellsMin - 1), shift_(32 - std::bit_width(kCellsMin - 1)) {}

void HashIndex::insert(std::uint32_t hash, std::uint32_t value) {
  if ((size_ + 1) * 10 > cells_.size() * 7) grow(cells_.size() * 2);
  place(std::uint64_t{hash} << 32 | (value + 1));
  ++size_;
}

void HashIndex::erase(std::uint32_t hash, std::uint32_t value) {
  const std::uint64_t wanted = std::uint64_t{hash} << 32 | (value + 1);
  std::size_t hole = home(hash);
  while (cells_[hole] != wanted) {
    if (cells_[hole] == 0) throw std::logic_error("hash index: erased what is not there");
    hole = (hole + 1) & mask_;
  }
  // Close the hole: a later cell of the run moves in where its home does not lie behind the hole.
  for (std::size_t i = (hole + 1) & mask_; cells_[i] != 0; i = (i + 1) & mask_) {
    const std::size_t distance_home = (i - home(hash_in(cells_[i]))) & mask_;
    const std::size_t distance_hole = (i - hole) & mask_;
    if (distance_home >= distance_hole) {
      cells_[hole] = cells_[i];
      hole = i;
    }
  }
  cells_[hole] = 0;
  --size_;
}

void HashIndex::reserve(std::size_t count) {
  const std::size_t cells = std::bit_ceil(count * 10 / 7 + 1);
  if (cells > cells_.size()) grow(cells);
}

void HashIndex::place(std::uint64_t cell) {
  std::size_t i = home(hash_in(cell));
  while (cells_[i] != 0) i = (i + 1) & mask_;
  cells_[i] = cell;
}

void HashIndex::grow(std::size_t cells) {
  const std::vector<std::uint64_t> old = std::exchange(cells_, std::vector<std::uint64_t>(cells));
  mask_ = cells - 1;
  shift_ = 32 - static_cast<unsigned>(std::bit_width(mask_));
  for (const std::uint64_t cell : old) {
    if (cell != 0) place(cell);
  }
}

}  // namespace ekiden::ranking
