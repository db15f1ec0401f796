#include "ports/redis_client/command.hpp"

#include <array>
#include <charconv>
#include <stdexcept>

#include <openssl/evp.h>

namespace ekiden::redis {
namespace {

void append_length(std::string& out, char kind, std::size_t length) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
  out.push_back(kind);
  out.append(digits.data(), end);
  out.append("\r\n", 2);
}

void append_text(std::string& out, std::string_view text) {
  append_length(out, '$', text.size());
  out.append(text);
  out.append("\r\n", 2);
}

}  // namespace

Command& Command::add(std::string_view argument) {
  append_text(arguments_, argument);
  ++count_;
  return *this;
}

void Command::write(std::string& out, std::initializer_list<std::string_view> first) const {
  append_length(out, '*', first.size() + count_);
  for (const std::string_view word : first) append_text(out, word);
  out.append(arguments_);
}

Script::Script(std::string text) : text_(std::move(text)) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (EVP_Digest(text_.data(), text_.size(), bytes.data(), &size, EVP_sha1(), nullptr) != 1) {
    throw std::runtime_error("no SHA-1 to name a script by");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (unsigned int i = 0; i < size; ++i) {
    digest_.push_back(kDigits[bytes[i] >> 4]);
    digest_.push_back(kDigits[bytes[i] & 0x0f]);
  }
}

}  // namespace ekiden::redis
