// Photos, people who leave and the equations, on SQLite.
#include "services/inventory/testing/keeping_suite.hpp"
