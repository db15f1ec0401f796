using std::exchange;

int nothing() {
  return 0;
}
