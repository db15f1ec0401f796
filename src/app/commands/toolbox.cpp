#include "app/commands/toolbox.hpp"

#include <stdexcept>

#include "services/gamification/service.hpp"
#include "services/user/service.hpp"
#include "services/workout/service.hpp"

namespace ekiden::app {

Toolbox::Toolbox(const CommandLine& line) : data_(line.data) {
  if (!std::filesystem::is_directory(data_)) {
    throw std::runtime_error("there is no data directory " + data_.string() + ": give it with --data");
  }
  stores_ = std::make_unique<Stores>(StoresConfig{.data = data_, .sql_readers = 1, .on_fatal = {}}, clock_,
                                     random_, logger_);
}

sql::Database& Toolbox::user_db() {
  return stores_->database("user", user::migrations());
}
sql::Database& Toolbox::workout_db() {
  return stores_->database("workout", workout::migrations());
}
sql::Database& Toolbox::gamification_db() {
  return stores_->database("gamification", gamification::migrations());
}

bool Toolbox::server_runs() const {
  return !DirectoryLock::take(data_).has_value();
}

}  // namespace ekiden::app
