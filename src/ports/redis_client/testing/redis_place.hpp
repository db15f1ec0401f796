#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "base/testing/seeded_random.hpp"
#include "ports/redis_client/client.hpp"

namespace ekiden::redis::testing {

inline std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    throw std::runtime_error(std::string(name) + " is not set: run this by tools/with_servers redis -- …");
  }
  return value;
}

/// Address of the server that all tests share.
inline Address shared_address() {
  auto address = parse_url(variable("EKIDEN_TEST_REDIS"));
  if (!address) throw std::runtime_error(address.error().text());
  return *std::move(address);
}

/// A name that no other test uses on the shared server.
inline std::string fresh_prefix() {
  static int made = 0;
  return "test:" + std::to_string(::getpid()) + ":" + std::to_string(++made) + ":";
}

/// Keeps the log lines. @threads any
class KeptLog final : public LogSink {
 public:
  void write(LogLevel, std::string line) override {
    const MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::size_t count(std::string_view event) const {
    const MutexLock lock(mutex_);
    std::size_t found = 0;
    for (const std::string& line : lines_) found += line.find(event) == std::string::npos ? 0U : 1U;
    return found;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_ EKIDEN_GUARDED_BY(mutex_);
};

/// A client with everything that it needs.
class OwnClient {
 public:
  explicit OwnClient(ClientConfig config)
      : client_(std::move(config), clock_, random_, Logger(log_, clock_)) {
    if (!client_.wait_until_up(clock_.monotonic() + std::chrono::seconds{20})) {
      throw std::runtime_error("the client does not connect");
    }
  }
  explicit OwnClient(Address address) : OwnClient(ClientConfig{.address = std::move(address)}) {}
  Client& operator*() { return client_; }
  Client* operator->() { return &client_; }
  const KeptLog& log() const { return log_; }
  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }

 private:
  SystemClock clock_;
  ekiden::testing::SeededRandom random_{20'261'122};
  KeptLog log_;
  Client client_;
};

/// A server that the test may stop, kill and start again on the same port.
class OwnServer {
 public:
  explicit OwnServer(std::string options = {})
      : script_(variable("EKIDEN_TEST_SERVERS") + "/redis"),
        options_(std::move(options)),
        port_(free_port()) {
    std::string folder = (std::filesystem::temp_directory_path() / "ekiden-redis-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = folder;
    start();
  }
  ~OwnServer() {
    const int ended = std::system((script_ + " kill " + folder_.string()).c_str());
    static_cast<void>(ended);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  void start() { run(" start " + folder_.string() + " " + std::to_string(port_) + " " + options_); }
  void stop() { run(" stop " + folder_.string()); }
  void kill() { run(" kill " + folder_.string()); }
  Address address() const {
    Address address;
    address.port = port_;
    return address;
  }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  void run(const std::string& what) const {
    if (std::system((script_ + what).c_str()) != 0)
      throw std::runtime_error("the redis script failed:" + what);
  }
  static std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                       ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(socket);
    if (!bound) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
  }

  const std::string script_;
  const std::string options_;
  const std::uint16_t port_;
  std::filesystem::path folder_;
};

}  // namespace ekiden::redis::testing
