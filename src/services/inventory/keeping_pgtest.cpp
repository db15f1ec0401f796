// Photos, people who leave and the equations, on a real PostgreSQL.
#include "services/inventory/testing/keeping_suite.hpp"
