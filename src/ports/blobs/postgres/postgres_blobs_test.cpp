// The contract of blobs, and what only this adapter promises, on SQLite.
#include "ports/blobs/postgres/testing/postgres_blobs_suite.hpp"
#include "ports/sql/sqlite/testing/engine.hpp"
