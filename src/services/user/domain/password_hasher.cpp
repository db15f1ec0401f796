#include "services/user/domain/password_hasher.hpp"

#include <array>
#include <stdexcept>

#include <sodium.h>

#include "runtime/offload.hpp"

namespace ekiden::user {

namespace {

bool matches(const std::string& hash, const std::string& password) {
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

}  // namespace

Result<std::string> hash_password(const std::string& password, const PasswordCost& cost) {
  std::array<char, crypto_pwhash_STRBYTES> out{};
  if (sodium_init() < 0) throw std::runtime_error("libsodium does not start");
  if (crypto_pwhash_str_alg(out.data(), password.data(), password.size(), cost.passes, cost.memory_kib * 1024,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return Error{Errc::busy, "out-of-memory", "there is no memory to hash a password now: try again"};
  }
  return std::string(out.data());
}

PasswordHasher::PasswordHasher(runtime::CpuPool& pool, PasswordCost cost) : pool_(pool), cost_(cost) {
  std::array<unsigned char, 32> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  auto made = hash_password(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), cost_);
  if (!made) throw std::runtime_error(made.error().text());
  nobody_ = *std::move(made);
}

Result<std::string> PasswordHasher::hash(std::string password, Deadline deadline) {
  return runtime::run_blocking(
      pool_, [password = std::move(password), cost = cost_] { return hash_password(password, cost); },
      deadline);
}

Result<bool> PasswordHasher::verify(std::string hash, std::string password, Deadline deadline) {
  return runtime::run_blocking(
      pool_,
      [hash = std::move(hash), password = std::move(password)] {
        return Result<bool>(matches(hash, password));
      },
      deadline);
}

Result<bool> PasswordHasher::verify_nobody(std::string password, Deadline deadline) {
  auto outcome = verify(nobody_, std::move(password), deadline);
  if (!outcome) return std::move(outcome).error();
  return false;
}

bool PasswordHasher::is_outdated(const std::string& hash) const {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), cost_.passes, cost_.memory_kib * 1024) != 0;
}

}  // namespace ekiden::user
