#include "services/user/domain/secret.hpp"

#include <array>

#include <sodium.h>

#include "http/access_token.hpp"

namespace ekiden::user {

std::string make_secret(Random& random, std::string_view prefix) {
  std::array<std::byte, 32> bytes{};
  random.fill(bytes);
  return std::string(prefix) +
         http::to_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

sql::Blob hash_secret(std::string_view secret) {
  std::array<unsigned char, 32> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(secret.data()),
                     secret.size(), nullptr, 0);
  return {std::string(reinterpret_cast<const char*>(hash.data()), hash.size())};
}

sql::Blob hash_email(std::string_view email) {
  return hash_secret("email:" + std::string(email));
}

}  // namespace ekiden::user
