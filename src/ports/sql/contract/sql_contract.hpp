#pragma once

// The promises of ports/sql/sql.hpp, which every adapter keeps. Include this header in the adapter's test and
// instantiate SqlContract there.

// IWYU pragma: begin_exports
#include "ports/sql/contract/sql_concurrency_contract.hpp"
#include "ports/sql/contract/sql_migration_contract.hpp"
#include "ports/sql/contract/sql_model_contract.hpp"
#include "ports/sql/contract/sql_subset_contract.hpp"
#include "ports/sql/contract/sql_transaction_contract.hpp"
#include "ports/sql/contract/sql_value_contract.hpp"
// IWYU pragma: end_exports
