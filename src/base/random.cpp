#include "base/random.hpp"

#include <cerrno>
#include <limits>
#include <system_error>

#include <sys/random.h>

namespace ekiden {

std::uint64_t Random::below(std::uint64_t bound) {
  // Draws above the largest multiple of `bound` are thrown away, so that no remainder is favoured.
  const std::uint64_t limit =
      std::numeric_limits<std::uint64_t>::max() - std::numeric_limits<std::uint64_t>::max() % bound;
  for (;;) {
    std::uint64_t drawn = 0;
    fill(std::as_writable_bytes(std::span{&drawn, 1}));
    if (drawn < limit) return drawn % bound;
  }
}

void SystemRandom::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace ekiden
