TEST_P(LogContract, Keeps) {}
