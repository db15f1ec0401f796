// Gear, mileage, mountings and photos on a real PostgreSQL.
#include "ports/sql/postgres/testing/engine.hpp"
#include "services/inventory/testing/service_suite.hpp"
