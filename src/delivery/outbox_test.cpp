// The outbox, the inbox and idempotency keys on SQLite.
#include "delivery/testing/outbox_suite.hpp"
#include "ports/sql/sqlite/testing/engine.hpp"
