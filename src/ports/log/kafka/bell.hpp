#pragma once

#include <cstdint>
#include <system_error>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace ekiden::log::kafka {

/// A bell that can be waited for together with others: rung before or during the wait. @threads any
class Bell {
 public:
  Bell() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Bell() { ::close(fd_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  int fd() const { return fd_; }
  void ring() const { static_cast<void>(::write(fd_, &kOnce, sizeof kOnce)); }
  /// True where it had been rung since the last time.
  bool take() const {
    std::uint64_t times = 0;
    return ::read(fd_, &times, sizeof times) == sizeof times;
  }
  /// What librdkafka writes to ring it.
  static constexpr std::uint64_t kOnce = 1;

 private:
  const int fd_;
};

}  // namespace ekiden::log::kafka
