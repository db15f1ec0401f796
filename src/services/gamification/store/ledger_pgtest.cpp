// The ledger and its boards on a real PostgreSQL.
#include "ports/sql/postgres/testing/engine.hpp"
#include "services/gamification/store/testing/ledger_suite.hpp"
