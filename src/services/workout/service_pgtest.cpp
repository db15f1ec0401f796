// Uploads, workouts and people on a real PostgreSQL.
#include "ports/sql/postgres/testing/engine.hpp"
#include "services/workout/testing/service_suite.hpp"
