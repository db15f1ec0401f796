#pragma once

#include <string>

#include "base/testing/own_server.hpp"

namespace ekiden::log::kafka::testing {

/// A broker of the test's own.
class OwnBroker : public ekiden::testing::OwnServer {
 public:
  OwnBroker() : OwnServer("kafka") {}
  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
};

}  // namespace ekiden::log::kafka::testing
