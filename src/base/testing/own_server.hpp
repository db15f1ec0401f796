#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/testing/folder.hpp"

namespace ekiden::testing {

/// What tools/with_servers tells a test in its environment. Throws std::runtime_error where it does not.
inline std::string server_variable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr)
    throw std::runtime_error(std::string(name) +
                             " is not set: run this by tools/with_servers SERVER -- PROGRAM");
  return value;
}

/// A port of loopback that nobody listens on.
inline std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool is_bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  if (!is_bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

/// A real server of the test's own, which it may stop and kill, by its script in deploy/local/servers.
/// Started when made, and again on the same port and data; gone with this object.
class OwnServer {
 public:
  /// @param name of the script. @param options that it passes on to the server
  explicit OwnServer(const std::string& name, std::string options = {})
      : script_(server_variable("EKIDEN_TEST_SERVERS") + "/" + name), options_(std::move(options)) {
    // The server may run as another user.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
    start();
  }
  ~OwnServer() { static_cast<void>(run("kill", "")); }
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  // Each throws std::runtime_error where the script fails.
  void start() const { must("start", " " + std::to_string(port_) + " " + options_); }
  void stop() const { must("stop", ""); }
  void kill() const { must("kill", ""); }
  std::uint16_t port() const { return port_; }

 private:
  bool run(const std::string& what, const std::string& more) const {
    const std::string command = "'" + script_ + "' " + what + " '" + (folder_ / "data").string() + "'" + more;
    return std::system(command.c_str()) == 0;
  }
  void must(const std::string& what, const std::string& more) const {
    if (!run(what, more)) throw std::runtime_error(script_ + " " + what + " failed");
  }

  const std::string script_;
  const std::string options_;
  const std::uint16_t port_ = free_port();
  const Folder folder_;
};

}  // namespace ekiden::testing
