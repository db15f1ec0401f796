#include <cstdio>
#include <fstream>

#include "app/commands/commands.hpp"
#include "app/commands/toolbox.hpp"
#include "app/options.hpp"
#include "services/user/service.hpp"

namespace ekiden::app {

namespace {

/// The first line of the file, without its end.
Result<std::string> read_password(const std::string& path) {
  std::ifstream file(path);
  std::string password;
  if (!file || !std::getline(file, password)) {
    return Error{Errc::invalid, "usage", "the password file " + path + " cannot be read", "password-file"};
  }
  return password;
}

Result<void> create(const CommandLine& line, const Config& config) {
  EKIDEN_TRY(const std::string email, line.required("email"));
  EKIDEN_TRY(const std::string file, line.required("password-file"));
  EKIDEN_TRY(const std::string role_name, line.required("role"));
  const auto role = http::parse_role(role_name);
  if (!role) return Error{Errc::invalid, "usage", "--role is one of admin, organizer, member", "role"};
  EKIDEN_TRY(std::string password, read_password(file));
  std::filesystem::create_directories(line.data);
  Toolbox tools(line, config);
  EKIDEN_TRY(const UserId id, user::create_account(tools.database("user"), email, std::move(password), *role,
                                                   tools.clock(), tools.ids(), user::read_config(config)));
  std::printf("%s\n", id.to_string().c_str());
  return {};
}

Result<void> reset(const CommandLine& line, const Config& config) {
  EKIDEN_TRY(const std::string email, line.required("email"));
  Toolbox tools(line, config);
  EKIDEN_TRY(const std::string token,
             user::create_password_reset(tools.database("user"), email, tools.clock(), tools.random(),
                                         user::read_config(config)));
  std::printf("%s\n", token.c_str());
  return {};
}

}  // namespace

int admin(const CommandLine& line) {
  const Result<Config> config = load_config(line);
  if (!config) return fail(config.error());
  const std::string what = line.arguments.empty() ? "" : line.arguments.front();
  if (what == "create") {
    const Result<void> done = create(line, *config);
    return done ? 0 : fail(done.error());
  }
  if (what == "reset-password") {
    const Result<void> done = reset(line, *config);
    return done ? 0 : fail(done.error());
  }
  return fail({Errc::invalid, "usage", "ekiden admin create|reset-password (ekiden help)"});
}

}  // namespace ekiden::app
