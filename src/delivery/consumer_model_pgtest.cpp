// A consumer group against its model on a real PostgreSQL.
#include "delivery/testing/consumer_model_suite.hpp"
