// Gear, mileage, mountings and photos on SQLite.
#include "ports/sql/sqlite/testing/engine.hpp"
#include "services/inventory/testing/service_suite.hpp"
