// The contract of claims, and what only this adapter promises, on SQLite.
#include "ports/claims/sql/testing/sql_claims_suite.hpp"
#include "ports/sql/sqlite/testing/engine.hpp"
