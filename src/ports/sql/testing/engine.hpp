#pragma once

#include <memory>

#include "ports/sql/contract/sql_harness.hpp"

namespace ekiden::sql::testing {

/// A fresh place on the engine that this test program is for. One file of the program includes that engine's
/// `testing/engine.hpp`, which defines it; so a store's suite is written once and runs on every engine.
std::unique_ptr<contract::Place> make_test_place();

}  // namespace ekiden::sql::testing
