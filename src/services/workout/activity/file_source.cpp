#include "services/workout/activity/file_source.hpp"

#include <cerrno>

#include <unistd.h>

namespace ekiden::activity {

Result<std::size_t> FileSource::read(std::span<char> into) {
  for (;;) {
    const auto count = ::read(descriptor_, into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR)
      return Error{Errc::unavailable, "file-unreadable", "the file could not be read: try again"};
  }
}

}  // namespace ekiden::activity
