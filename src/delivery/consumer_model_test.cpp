// A consumer group against its model on SQLite.
#include "delivery/testing/consumer_model_suite.hpp"
