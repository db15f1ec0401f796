// Relay and runner on SQLite.
#include "delivery/testing/runner_suite.hpp"
