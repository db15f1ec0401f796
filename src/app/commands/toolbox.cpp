#include "app/commands/toolbox.hpp"

#include <stdexcept>

#include "app/adapters.hpp"
#include "app/commands/operator_job.hpp"

namespace ekiden::app {

namespace {

constexpr std::chrono::minutes kJobPatience{10};

}  // namespace

Toolbox::Toolbox(const CommandLine& line, const Config& config) : config_(config), data_(line.data) {
  // A cluster's stores are elsewhere: the folder is then only this command's own.
  if (!are_tables_shared(config) && !std::filesystem::is_directory(data_)) {
    throw std::runtime_error("there is no data directory " + data_.string() + ": give it with --data");
  }
  stores_ = std::make_unique<Stores>(config_, StoresConfig{.data = data_, .is_beside_server = true}, clock_,
                                     random_, figures_, logger_);
}

sql::Database& Toolbox::database(std::string_view service) {
  const auto row = find_service(service);
  if (!row || (*row)->migrations == nullptr)
    throw std::logic_error(std::string(service) + " is no service with tables");
  return stores_->database(service, (*row)->migrations());
}

bool Toolbox::server_runs() const {
  return are_tables_shared(config_) || !DirectoryLock::take(data_).has_value();
}

Result<void> Toolbox::run_job(std::string_view service, std::string_view kind) {
  return run_operator_job(*this, database(service), kind, kJobPatience);
}

}  // namespace ekiden::app
