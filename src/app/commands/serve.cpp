#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "app/commands/commands.hpp"
#include "app/node.hpp"
#include "app/options.hpp"
#include "app/running_service.hpp"
#include "app/service_set.hpp"
#include "runtime/async_log_sink.hpp"
#include "runtime/lifecycle.hpp"

namespace ekiden::app {

namespace {

int list_services(const Config& config) {
  for (const ServiceRow& row : service_table()) {
    std::string ports;
    for (const Port port : row.ports) ports += (ports.empty() ? "" : ", ") + std::string(name_of(port));
    std::printf("%-14s %-16s %s\n", std::string(row.name).c_str(), describe(row.model(config)).c_str(),
                ports.c_str());
  }
  return 0;
}

Result<void> check_services(const std::vector<std::string>& names) {
  for (const std::string& name : names) EKIDEN_CHECK(find_service(name));
  return {};
}

void greet(const ProcessConfig& config, std::uint16_t port, bool is_gateway) {
  const bool v6 = config.address.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + config.address + "]" : config.address;
  const std::string url = "http://" + host + ":" + std::to_string(port);
  std::printf("Ekiden listens on %s\n", url.c_str());
  if (!is_gateway) {
    std::fflush(stdout);
    return;
  }
  std::printf("Next: open %s in a browser, or make an account:\n", url.c_str());
  std::printf("  curl -s %s/api/v1/auth/register -H 'Content-Type: application/json' \\\n", url.c_str());
  std::printf(
      "    -d '{\"email\":\"ann@example.org\",\"password\":\"a long way home\",\"display_name\":\"Ann\"}'\n");
  std::fflush(stdout);
}

int run(const CommandLine& line, const Config& config) {
  const ProcessConfig process = read_process_config(config);
  runtime::StopSignals signals;
  SystemClock clock;
  SystemRandom random;
  FdLogSink out(2);
  runtime::AsyncLogSink sink(out, clock);
  const Logger logger(sink, clock, process.log_level);
  auto lock = DirectoryLock::take(line.data);
  if (!lock) return fail(lock.error());

  std::atomic<bool> lost_store = false;
  Node node(config, line.data, line.services, clock, random, logger, [&] {
    lost_store = true;
    signals.request();
  });
  const Result<void> started = node.start();
  if (!started) return fail(started.error());
  if (node.port() != 0) greet(process, node.port(), is_wanted(line.services, "gateway"));
  logger.info("started", {{"port", node.port()}, {"data", line.data.string()}});
  const int signal = signals.wait();
  logger.info("stopping", {{"signal", signal}});
  if (const auto stuck = node.stop()) {
    logger.error("stage_stuck", {{"stage", *stuck}});
    std::_Exit(1);
  }
  logger.info("stopped");
  return lost_store ? 1 : 0;
}

}  // namespace

int serve(const CommandLine& line) {
  const Result<void> known = check_services(line.services);
  if (!known) return fail(known.error());
  const Result<Config> config = load_config(line);
  if (!config) return fail(config.error());
  if (line.has_flag("list")) return list_services(*config);
  return run(line, *config);
}

}  // namespace ekiden::app
