#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/logger.hpp"
#include "http/access_token.hpp"
#include "ports/blobs/blobs.hpp"
#include "ports/limits/limits.hpp"
#include "ports/log/log.hpp"
#include "ports/ranking/ranking.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::app {

/// Says that one server at most works on a data directory; held for as long as the object lives.
class DirectoryLock {
 public:
  /// @errors busy: another server runs on it.
  static Result<std::unique_ptr<DirectoryLock>> take(const std::filesystem::path& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

struct StoresConfig {
  std::filesystem::path data;
  int sql_readers = 2;
  std::function<void()> on_fatal{};  ///< a store cannot be trusted any more: the process should end
};

/// The embedded stores of one data directory. What is asked for is opened and its schema brought up to date;
/// a command beside a running server opens what it needs. @threads `database` and `log`: one, at start; the
/// ports any
class Stores {
 public:
  Stores(StoresConfig config, const Clock& clock, Random& random, const Logger& logger);
  ~Stores();

  /// The service's database. Throws std::runtime_error where it cannot be opened or migrated.
  sql::Database& database(std::string_view service, const std::vector<sql::Migration>& migrations);
  log::Log& log();
  blobs::Blobs& blobs();
  ranking::Ranking& ranking();
  limits::Limits& limits();

  /// Secrets of this installation, made at the first start and kept in `keys/`.
  const http::SigningSeed& token_seed() const { return token_seed_; }
  const std::string& cursor_key() const { return cursor_key_; }
  std::filesystem::path spool_folder() const { return config_.data / "spool"; }
  /// Removes what a killed server has left of forms that it was receiving. Only for who holds the
  /// DirectoryLock.
  void clear_spool() const;

 private:
  std::string secret(const std::string& name, Random& random) const;
  std::unique_ptr<sql::Database> open(const std::string& name) const;

  const StoresConfig config_;
  const Clock& clock_;
  const Logger logger_;
  http::SigningSeed token_seed_;
  std::string cursor_key_;
  std::array<std::uint8_t, 16> limits_secret_{};
  std::map<std::string, std::unique_ptr<sql::Database>, std::less<>> databases_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<blobs::Blobs> blobs_;
  std::unique_ptr<ranking::Ranking> ranking_;
  std::unique_ptr<limits::Limits> limits_;
};

}  // namespace ekiden::app
