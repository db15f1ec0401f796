#pragma once

#include <string>

#include "base/testing/own_server.hpp"

namespace ekiden::sql::testing {

/// A PostgreSQL of the test's own.
class OwnServer : public ekiden::testing::OwnServer {
 public:
  OwnServer() : ekiden::testing::OwnServer("postgres") {}
  std::string url() const { return url_at(port()); }
  static std::string url_at(int port) {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port) + "/postgres";
  }
};

}  // namespace ekiden::sql::testing
