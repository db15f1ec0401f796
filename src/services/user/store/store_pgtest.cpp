// Accounts, sessions and secrets on a real PostgreSQL.
#include "ports/sql/postgres/testing/engine.hpp"
#include "services/user/store/testing/store_suite.hpp"
