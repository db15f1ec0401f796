#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "runtime/executor.hpp"

namespace ekiden::user {

struct PasswordCost {
  std::size_t memory_kib = 19 * 1024;  ///< OWASP's password storage cheat sheet: 19 MiB with two passes
  std::size_t passes = 2;
};

/// The standard `$argon2id$` string, on the calling thread: for commands. @errors busy: there is no memory
/// for it.
Result<std::string> hash_password(const std::string& password, const PasswordCost& cost);

/// Argon2id on a small bounded pool of its own, so that a flood of logins is refused here and harms nothing
/// else. Memory is at most `memory_kib` for each of the pool's threads. @threads any; blocks until hashed
class PasswordHasher {
 public:
  PasswordHasher(runtime::CpuPool& pool, PasswordCost cost);

  /// The standard `$argon2id$` string. @errors busy: the pool is full; timeout: the deadline passed first.
  Result<std::string> hash(std::string password, Deadline deadline);
  /// @errors as `hash`.
  Result<bool> verify(std::string hash, std::string password, Deadline deadline);
  /// Takes as long as `verify` and is never right: for accounts that do not exist.
  Result<bool> verify_nobody(std::string password, Deadline deadline);
  /// True where the hash was made with another cost than today's.
  bool is_outdated(const std::string& hash) const;

 private:
  runtime::CpuPool& pool_;
  PasswordCost cost_;
  std::string nobody_;  ///< a hash of something that nobody can type
};

}  // namespace ekiden::user
