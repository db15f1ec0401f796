#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ekiden::sql::testing {

/// A port of loopback that nobody listens on.
inline int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

/// A PostgreSQL of the test's own, which it may stop and kill. Started when made.
class OwnServer {
 public:
  OwnServer() {
    const char* const servers = std::getenv("EKIDEN_TEST_SERVERS");
    if (servers == nullptr)
      throw std::runtime_error(
          "EKIDEN_TEST_SERVERS is not set: run this by tools/with_servers postgres -- PROGRAM");
    script_ = std::string(servers) + "/postgres";
    std::string name = (std::filesystem::temp_directory_path() / "ekiden-postgres-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
    // The server may run as another user.
    std::filesystem::permissions(folder_, std::filesystem::perms{0755});
    start();
  }
  ~OwnServer() {
    run("stop", "");
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  void start() {
    if (!run("start", " " + std::to_string(port_))) throw std::runtime_error("the server does not start");
  }
  void stop() { run("stop", ""); }
  void kill() { run("kill", ""); }
  int port() const { return port_; }
  std::string url() const { return url_at(port_); }
  static std::string url_at(int port) {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port) + "/postgres";
  }

 private:
  bool run(const std::string& what, const std::string& more) const {
    const std::string command = "'" + script_ + "' " + what + " '" + (folder_ / "data").string() + "'" + more;
    return std::system(command.c_str()) == 0;
  }

  std::string script_;
  std::filesystem::path folder_;
  const int port_ = free_port();
};

}  // namespace ekiden::sql::testing
