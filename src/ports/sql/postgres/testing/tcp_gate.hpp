#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ekiden::sql::testing {

/// What happens to the next connection that sends the awaited bytes.
enum class Cut : std::uint8_t {
  none,
  before,       ///< they do not arrive, and both ends are closed
  after,        ///< they arrive, the answer does not
  keep_server,  ///< they do not arrive; the server is left waiting for more
};

/// Stands between clients and a server on loopback, and cuts connections where a test wants it. @threads any
class TcpGate {
 public:
  TcpGate(int target, std::string awaited) : target_(target), awaited_(std::move(awaited)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, any, &size) != 0)
      throw std::runtime_error("the gate cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~TcpGate() {
    is_stopping_ = true;
    wake();
    thread_.join();
    ::close(listener_);
    ::close(wake_);
  }
  TcpGate(const TcpGate&) = delete;
  TcpGate& operator=(const TcpGate&) = delete;

  int port() const { return port_; }
  void cut_next(Cut cut) { cut_ = cut; }
  int cuts() const { return cuts_; }
  /// New connections are closed at once while true.
  void refuse(bool refused) { is_refusing_ = refused; }
  /// Nothing passes while true, and nobody is told.
  void hold(bool held) {
    is_holding_ = held;
    wake();
  }

 private:
  struct Pair {
    int client = -1;
    int server = -1;
    bool swallows_answer = false;
    bool is_dead = false;
  };

  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }

  void wake() const {
    const std::uint64_t one = 1;
    if (::write(wake_, &one, sizeof one) < 0) throw std::runtime_error("the gate cannot be woken");
  }

  void run() {
    while (!is_stopping_) {
      std::vector<pollfd> waited = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        const auto events = static_cast<short>(is_holding_ ? 0 : POLLIN);
        waited.push_back({pair.client, events, 0});
        waited.push_back({pair.server, events, 0});
      }
      if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return;
      std::uint64_t ignored = 0;
      if (waited[0].revents != 0 && ::read(wake_, &ignored, sizeof ignored) < 0) return;
      std::size_t at = 2;
      for (Pair& pair : pairs_) {
        if (waited[at].revents != 0) forward(pair, true);
        if (waited[at + 1].revents != 0 && !pair.is_dead) forward(pair, false);
        at += 2;
      }
      if (waited[1].revents != 0) accept();
      pairs_.remove_if([](const Pair& pair) { return pair.is_dead; });
    }
    for (Pair& pair : pairs_) finish(pair);
    for (const int server : kept_) ::close(server);
  }

  void accept() {
    Pair pair{.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)};
    pair.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(target_);
    const bool connected =
        !is_refusing_ &&
        ::connect(pair.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (!connected) return finish(pair);
    pairs_.push_back(pair);
  }

  void forward(Pair& pair, bool from_client) {
    std::string bytes(65'536, '\0');
    const ssize_t got = ::read(from_client ? pair.client : pair.server, bytes.data(), bytes.size());
    if (got <= 0) return finish(pair);
    bytes.resize(static_cast<std::size_t>(got));
    if (!from_client && pair.swallows_answer) return finish(pair);
    if (from_client && bytes.find(awaited_) != std::string::npos) {
      const Cut cut = cut_.exchange(Cut::none);
      if (cut != Cut::none) ++cuts_;
      if (cut == Cut::before) return finish(pair);
      if (cut == Cut::keep_server) {
        kept_.push_back(pair.server);
        pair.server = -1;
        return finish(pair);
      }
      pair.swallows_answer = cut == Cut::after;
    }
    const int to = from_client ? pair.server : pair.client;
    for (std::string_view left = bytes; !left.empty();) {
      const ssize_t sent = ::send(to, left.data(), left.size(), MSG_NOSIGNAL);
      if (sent <= 0) return finish(pair);
      left.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  static void finish(Pair& pair) {
    if (pair.client >= 0) ::close(pair.client);
    if (pair.server >= 0) ::close(pair.server);
    pair.is_dead = true;
  }

  const int target_;
  const std::string awaited_;
  int listener_ = -1;
  const int wake_ = ::eventfd(0, EFD_CLOEXEC);
  int port_ = 0;
  std::atomic<Cut> cut_{Cut::none};
  std::atomic<int> cuts_{0};
  std::atomic<bool> is_refusing_{false};
  std::atomic<bool> is_holding_{false};
  std::atomic<bool> is_stopping_{false};
  std::list<Pair> pairs_;  ///< the thread's alone
  std::vector<int> kept_;  ///< the thread's alone
  std::thread thread_;
};

}  // namespace ekiden::sql::testing
