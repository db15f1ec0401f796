// Uploads, workouts and people on SQLite.
#include "ports/sql/sqlite/testing/engine.hpp"
#include "services/workout/testing/service_suite.hpp"
