#include "app/stores.hpp"

#include <cstring>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ports/blobs/directory/directory_blobs.hpp"
#include "ports/limits/memory/memory_limits.hpp"
#include "ports/log/sqlite/sqlite_log.hpp"
#include "ports/ranking/memory/memory_ranking.hpp"
#include "ports/sql/sqlite/sqlite.hpp"

namespace ekiden::app {

namespace {

constexpr std::size_t kSecretBytes = 32;

template <class T>
T or_throw(Result<T> result, const std::string& what) {
  if (!result) throw std::runtime_error(what + ": " + result.error().text());
  return *std::move(result);
}

/// Writes a secret so that it is there whole or not at all, for its owner's eyes only. False where it was
/// there already.
bool write_secret(const std::filesystem::path& file, std::string_view bytes) {
  const std::filesystem::path fresh = file.string() + ".new." + std::to_string(::getpid());
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), file.string());
  const bool written =
      ::write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
      ::fsync(descriptor) == 0;
  ::close(descriptor);
  // Two processes may start at once: a link never replaces what the other has made.
  const bool linked = written && ::link(fresh.c_str(), file.c_str()) == 0;
  const int reason = errno;
  ::unlink(fresh.c_str());
  if (!linked && reason != EEXIST) throw std::system_error(reason, std::generic_category(), file.string());
  return linked;
}

std::string read_secret(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  if (bytes.size() != kSecretBytes)
    throw std::runtime_error(file.string() + " is damaged: it must have 32 bytes");
  return bytes;
}

}  // namespace

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) {
    return Error{Errc::invalid, "bad-data-directory",
                 "the data directory " + directory.string() + " cannot be made: " + failed.message(), "data"};
  }
  const std::filesystem::path file = directory / "lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return Error{Errc::invalid, "bad-data-directory",
                 file.string() + " cannot be opened: " + std::generic_category().message(errno), "data"};
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return Error{Errc::busy, "data-in-use", "another server works on " + directory.string(), "data"};
  }
  return std::unique_ptr<DirectoryLock>(new DirectoryLock(descriptor));
}

DirectoryLock::~DirectoryLock() {
  ::close(descriptor_);
}

Stores::Stores(StoresConfig config, const Clock& clock, Random& random, const Logger& logger)
    : config_(std::move(config)), clock_(clock), logger_(logger) {
  for (const char* folder : {"", "keys", "spool"}) {
    std::filesystem::create_directories(config_.data / folder);
    ::chmod((config_.data / folder).c_str(), 0700);
  }
  const std::string seed = secret("access-token.key", random);
  std::memcpy(token_seed_.bytes.data(), seed.data(), token_seed_.bytes.size());
  cursor_key_ = secret("cursor.key", random);
  random.fill(std::as_writable_bytes(std::span{limits_secret_}));
}

Stores::~Stores() = default;

void Stores::clear_spool() const {
  std::error_code ignored;  // What cannot be removed only takes room.
  for (const auto& entry : std::filesystem::directory_iterator(spool_folder(), ignored))
    std::filesystem::remove(entry.path(), ignored);
}

std::string Stores::secret(const std::string& name, Random& random) const {
  const std::filesystem::path file = config_.data / "keys" / name;
  if (!std::filesystem::exists(file)) {
    std::string bytes(kSecretBytes, '\0');
    random.fill(std::as_writable_bytes(std::span{bytes}));
    write_secret(file, bytes);
  }
  return read_secret(file);
}

std::unique_ptr<sql::Database> Stores::open(const std::string& name) const {
  sql::SqliteConfig sqlite;
  sqlite.file = config_.data / (name + ".db");
  sqlite.readers = config_.sql_readers;
  sqlite.on_fatal = config_.on_fatal;
  return or_throw(sql::make_sqlite(std::move(sqlite), clock_, logger_.with("sql." + name)),
                  name + ".db cannot be opened");
}

sql::Database& Stores::database(std::string_view service, const std::vector<sql::Migration>& migrations) {
  auto& slot = databases_[std::string(service)];
  if (!slot) {
    slot = open(std::string(service));
    const int applied =
        or_throw(sql::migrate(*slot, migrations), std::string(service) + ".db cannot be brought up to date");
    if (applied > 0) logger_.info("schema_migrated", {{"database", service}, {"steps", applied}});
  }
  return *slot;
}

log::Log& Stores::log() {
  if (!log_)
    log_ = or_throw(log::make_sqlite_log(open("log"), {}, clock_, logger_.with("log")),
                    "log.db cannot be opened");
  return *log_;
}

blobs::Blobs& Stores::blobs() {
  if (!blobs_) blobs_ = blobs::make_directory_blobs(config_.data / "blobs");
  return *blobs_;
}

ranking::Ranking& Stores::ranking() {
  if (!ranking_) ranking_ = ranking::make_memory_ranking();
  return *ranking_;
}

limits::Limits& Stores::limits() {
  if (!limits_) limits_ = limits::make_memory_limits(clock_, {.hash_secret = limits_secret_});
  return *limits_;
}

}  // namespace ekiden::app
