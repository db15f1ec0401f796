// The contract of blobs, and what only this adapter promises, on a real PostgreSQL.
#include "ports/blobs/postgres/testing/postgres_blobs_suite.hpp"
#include "ports/sql/postgres/testing/engine.hpp"
