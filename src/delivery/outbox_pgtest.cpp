// The outbox, the inbox and idempotency keys on a real PostgreSQL.
#include "delivery/testing/outbox_suite.hpp"
#include "ports/sql/postgres/testing/engine.hpp"
