// The contract on a real PostgreSQL.
#include <gtest/gtest.h>

#include "ports/sql/contract/sql_contract.hpp"
#include "ports/sql/postgres/postgres.hpp"
#include "ports/sql/postgres/testing/postgres_place.hpp"

namespace ekiden::sql::contract {

std::unique_ptr<Place> make_place() {
  return std::make_unique<sql::testing::PostgresPlace>();
}

INSTANTIATE_TEST_SUITE_P(Postgres, SqlContract, ::testing::Values(Maker{"server", make_place}), name_of);

}  // namespace ekiden::sql::contract
