#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

#include "base/testing/kept_lines.hpp"
#include "base/testing/own_server.hpp"
#include "base/testing/seeded_random.hpp"
#include "ports/redis_client/client.hpp"

namespace ekiden::redis::testing {

/// Address of the server that all tests share.
inline Address shared_address() {
  auto address = parse_url(ekiden::testing::server_variable("EKIDEN_TEST_REDIS"));
  if (!address) throw std::runtime_error(address.error().text());
  return *std::move(address);
}

/// A name that no other test uses on the shared server.
inline std::string fresh_prefix() {
  static int made = 0;
  return "test:" + std::to_string(::getpid()) + ":" + std::to_string(++made) + ":";
}

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
  const ekiden::testing::KeptLines& log() const { return log_; }
  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }

 private:
  SystemClock clock_;
  ekiden::testing::SeededRandom random_{20'261'122};
  ekiden::testing::KeptLines log_;
  Client client_;
};

/// A Redis of the test's own. @param options of redis-server, `appendonly yes`
class OwnServer : public ekiden::testing::OwnServer {
 public:
  explicit OwnServer(std::string options = {}) : ekiden::testing::OwnServer("redis", std::move(options)) {}
  Address address() const {
    Address address;
    address.port = port();
    return address;
  }
};

}  // namespace ekiden::redis::testing
