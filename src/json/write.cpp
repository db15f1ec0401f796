#include "json/write.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace ekiden::json {

namespace {

template <class T>
void append_digits(std::string& out, T number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void append_number(std::string& out, std::int64_t number) {
  append_digits(out, number);
}
void append_number(std::string& out, std::uint64_t number) {
  append_digits(out, number);
}

void append_number(std::string& out, double number) {
  if (number == 0.0) {
    // `-0` would be read back as a whole number, which has no sign.
    out += std::signbit(number) ? "-0.0" : "0";
  } else if (std::isfinite(number)) {
    append_digits(out, number);
  } else {
    out += "null";
  }
}

}  // namespace ekiden::json
