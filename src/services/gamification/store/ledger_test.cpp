// The ledger and its boards on SQLite.
#include "ports/sql/sqlite/testing/engine.hpp"
#include "services/gamification/store/testing/ledger_suite.hpp"
