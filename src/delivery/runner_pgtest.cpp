// Relay and runner on a real PostgreSQL.
#include "delivery/testing/runner_suite.hpp"
