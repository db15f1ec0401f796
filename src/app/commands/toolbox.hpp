#pragma once

#include <memory>

#include "app/command_line.hpp"
#include "app/service_set.hpp"
#include "base/id.hpp"
#include "base/logger.hpp"
#include "base/random.hpp"

namespace ekiden::app {

/// What a command beside the server works with: the clocks, the stores of `--data` and the configuration,
/// warnings on standard error.
class Toolbox final : public AuditPlace {
 public:
  /// Throws std::runtime_error where the data directory is not there or cannot be opened.
  Toolbox(const CommandLine& line, const Config& config);

  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }
  Ids& ids() { return ids_; }
  Stores& stores() { return *stores_; }
  runtime::FiguresRegistry& figures() { return figures_; }
  const Logger& logger() const { return logger_; }
  /// Throws std::logic_error where there is no such service, or it has no tables.
  sql::Database& database(std::string_view service) override;
  /// True where a server works on this data directory.
  bool server_runs() const override;
  Result<void> run_job(std::string_view service, std::string_view kind) override;

 private:
  const Config config_;
  SystemClock clock_;
  SystemRandom random_;
  Ids ids_{clock_, random_};
  FdLogSink sink_{2};
  Logger logger_{sink_, clock_, LogLevel::warning};
  std::filesystem::path data_;
  runtime::FiguresRegistry figures_;
  std::unique_ptr<Stores> stores_;
};

}  // namespace ekiden::app
