#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ekiden::log::kafka::testing {

/// A port of loopback that nobody listens on.
inline int free_port() {
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

/// A broker of the test's own, which it may stop and kill. Started when made, and again on the same port.
class OwnBroker {
 public:
  OwnBroker() {
    const char* const servers = std::getenv("EKIDEN_TEST_SERVERS");
    if (servers == nullptr) {
      throw std::runtime_error(
          "EKIDEN_TEST_SERVERS is not set: run this by tools/with_servers kafka -- PROGRAM");
    }
    script_ = std::string(servers) + "/kafka";
    std::string name = (std::filesystem::temp_directory_path() / "ekiden-kafka-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
    start();
  }
  ~OwnBroker() {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  OwnBroker(const OwnBroker&) = delete;
  OwnBroker& operator=(const OwnBroker&) = delete;

  void start() const {
    if (!run("start", " " + std::to_string(port_))) throw std::runtime_error("the broker does not start");
  }
  void stop() const { run("stop", ""); }
  void kill() const { run("kill", ""); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  bool run(const std::string& what, const std::string& more) const {
    const std::string command = "'" + script_ + "' " + what + " '" + (folder_ / "data").string() + "'" + more;
    return std::system(command.c_str()) == 0;
  }

  std::string script_;
  std::filesystem::path folder_;
  const int port_ = free_port();
};

}  // namespace ekiden::log::kafka::testing
