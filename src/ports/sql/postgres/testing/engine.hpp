#pragma once

// Defines the engine of a test program: included by one of its files only.

#include "ports/sql/postgres/testing/postgres_place.hpp"
#include "ports/sql/testing/engine.hpp"

namespace ekiden::sql::testing {

std::unique_ptr<contract::Place> make_test_place() {
  return std::make_unique<PostgresPlace>();
}

}  // namespace ekiden::sql::testing
