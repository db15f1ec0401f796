#include "app/door.hpp"

#include <stdexcept>

#include "app/options.hpp"
#include "app/system_sources.hpp"
#include "runtime/block_on.hpp"
#include "services/gateway/options.hpp"

namespace ekiden::app {

namespace {

/// The most that workout.upload_files_max allows, and what comes beside the files.
constexpr std::size_t kFormFilesMax = 1000;
constexpr std::size_t kFormFieldsMax = 64;
constexpr std::string_view kResolveKeyPattern = "/internal/user/api-keys/resolve";
/// What the process says of itself is little and quick.
constexpr runtime::EventLoop kSystemModel{.loops = 1, .inflight_max = 1024};

http::TrustedProxies proxies_of(const ProcessConfig& config) {
  auto proxies =
      http::TrustedProxies::parse(config.trusted_proxies, static_cast<std::size_t>(config.proxy_hops));
  if (!proxies) throw std::runtime_error("server.trusted_proxies: " + proxies.error().text());
  return *std::move(proxies);
}

std::vector<boost::asio::any_io_executor> executors_of(const runtime::LoopExecutor& loops) {
  std::vector<boost::asio::any_io_executor> executors;
  executors.reserve(loops.loops());
  for (std::size_t i = 0; i < loops.loops(); ++i) executors.push_back(loops.executor(i));
  return executors;
}

}  // namespace

Door::Door(const ProcessParts& process, const RunningServices& services)
    : process_(process),
      config_(gateway::read_config(process.config)),
      verifier_({process.signer.public_key()}),
      disk_({.service = "gateway", .name = "disk"},
            {.threads = static_cast<std::size_t>(read_process_config(process.config).disk_threads),
             .queue_max = 4096},
            process.logger, process.figures),
      loops_({.service = "gateway", .name = "requests"},
             std::get<runtime::EventLoop>(gateway::model(config_)), process.clock, process.logger,
             process.figures),
      system_(system_sources(services, process)),
      host_("gateway.system", kSystemModel, process.clock, process.logger, process.figures) {
  for (const auto& service : services) {
    caller_.add(service->spec, *service->host);
    collect(service->spec);
  }
  spec_.name = "gateway";
  spec_.model = kSystemModel;
  spec_.routes = system_.routes();
  caller_.add(spec_, host_);
  collect(spec_);
  system_.show_routes(routes_);
  router_ = std::make_unique<http::Router>(std::move(entries_));
  authenticator_ =
      std::make_unique<gateway::Authenticator>(verifier_, caller_, resolve_key_, process_.clock, config_);
  budgets_ = std::make_unique<gateway::Budgets>(process_.stores.limits(), config_);
  dispatcher_ =
      std::make_unique<gateway::Dispatcher>(*router_, *authenticator_, *budgets_, caller_, process_.clock,
                                            process_.logger.with("gateway"), process_.metrics, routes_);
  server_ = std::make_unique<http::Server>(
      server_config(), executors_of(loops_), *dispatcher_,
      [this](std::move_only_function<void()> work) { return disk_.try_post(std::move(work)); },
      process_.clock, process_.random, process_.logger.with("http"));
}

void Door::collect(const services::ServiceSpec& spec) {
  for (const http::Route& route : spec.routes) {
    // From outside, what is internal is not even there: no other verb may tell of it.
    if (route.auth != http::Auth::internal) entries_.push_back({std::string(spec.name), &route});
    routes_.push_back(&route);
    if (route.pattern == kResolveKeyPattern) resolve_key_ = &route;
  }
}

http::ServerConfig Door::server_config() const {
  const ProcessConfig settings = read_process_config(process_.config);
  http::ServerConfig server;
  server.address = settings.address;
  server.port = settings.port;
  server.trusted_proxies = proxies_of(settings);
  server.spool_folder = process_.stores.spool_folder();
  process_.stores.clear_spool();
  server.connections_max = static_cast<std::size_t>(settings.connections_max);
  // A folder of files comes as one form; one more than it may hold is left for the service to refuse by name.
  server.multipart.files_max = kFormFilesMax + 1;
  server.multipart.parts_max = server.multipart.files_max + kFormFieldsMax;
  return server;
}

void Door::drain(Deadline deadline) {
  runtime::Task<void> drained = server_->drain(deadline);
  runtime::block_on(loops_, std::move(drained));
}

void Door::stop() {
  host_.stop();
  loops_.stop();
  disk_.stop();
}

}  // namespace ekiden::app
