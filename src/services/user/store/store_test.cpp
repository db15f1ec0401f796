// Accounts, sessions and secrets on SQLite.
#include "ports/sql/sqlite/testing/engine.hpp"
#include "services/user/store/testing/store_suite.hpp"
