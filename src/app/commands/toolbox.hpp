#pragma once

#include <memory>

#include "app/command_line.hpp"
#include "app/service_set.hpp"
#include "app/stores.hpp"
#include "base/id.hpp"
#include "base/logger.hpp"
#include "base/random.hpp"

namespace ekiden::app {

/// What a command beside the server works with: the clocks, the stores of `--data`, warnings on standard
/// error.
class Toolbox {
 public:
  /// Throws std::runtime_error where the data directory is not there or cannot be opened.
  explicit Toolbox(const CommandLine& line);

  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }
  Ids& ids() { return ids_; }
  Stores& stores() { return *stores_; }
  const Logger& logger() const { return logger_; }
  sql::Database& user_db();
  sql::Database& workout_db();
  sql::Database& gamification_db();
  /// True where a server works on this data directory.
  bool server_runs() const;

 private:
  SystemClock clock_;
  SystemRandom random_;
  Ids ids_{clock_, random_};
  FdLogSink sink_{2};
  Logger logger_{sink_, clock_, LogLevel::warning};
  std::filesystem::path data_;
  std::unique_ptr<Stores> stores_;
};

}  // namespace ekiden::app
