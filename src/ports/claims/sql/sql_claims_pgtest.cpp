// The contract of claims, and what only this adapter promises, on a real PostgreSQL.
#include "ports/claims/sql/testing/sql_claims_suite.hpp"
#include "ports/sql/postgres/testing/engine.hpp"
