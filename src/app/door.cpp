#include "app/door.hpp"

#include <algorithm>
#include <stdexcept>

#include "app/listening.hpp"
#include "app/options.hpp"
#include "app/system_sources.hpp"
#include "events/users.hpp"
#include "runtime/block_on.hpp"
#include "services/gateway/options.hpp"
#include "services/gateway/upstream/options.hpp"
#include "services/user/service.hpp"

namespace ekiden::app {

namespace {

constexpr std::string_view kResolveKeyPattern = "/internal/user/api-keys/resolve";
/// What verifying forgives a token's times.
constexpr std::chrono::seconds kClockLeeway{60};
constexpr std::size_t kProcessesAsked = 64;
/// What the process says of itself is little and quick.
constexpr runtime::EventLoop kSystemModel{.loops = 1, .inflight_max = 1024};

std::chrono::seconds token_life(const Config& config) {
  return user::read_config(config).access_ttl + kClockLeeway;
}

}  // namespace

Door::Door(const ProcessParts& process, const RunningServices& services)
    : process_(process),
      config_(gateway::read_config(process.config)),
      verifier_({process.signer.public_key()}),
      revocations_(token_life(process.config), config_.revocations_max),
      revocations_tail_(
          {.topic = std::string(events::kUsersTopic), .since = token_life(process.config)},
          process.stores.log(), process.clock,
          [this](const delivery::Envelope& event) { revocations_.hear(event, process_.clock.now()); },
          process.logger.with("gateway")),
      disk_({.service = "gateway", .name = "disk"},
            {.threads = static_cast<std::size_t>(read_process_config(process.config).disk_threads),
             .queue_max = 4096},
            process.logger, process.figures),
      loops_({.service = "gateway", .name = "requests"},
             std::get<runtime::EventLoop>(gateway::model(config_)), process.clock, process.logger,
             process.figures),
      call_signer_(process.stores.secrets().cluster),
      system_(sources(services)),
      host_("gateway.system", kSystemModel, process.clock, process.logger, process.figures) {
  for (const auto& service : services) {
    caller_.add(service->spec, *service->host);
    collect(service->spec);
  }
  call_elsewhere(services);
  spec_.name = "gateway";
  spec_.model = kSystemModel;
  spec_.routes = system_.routes();
  process_.figures.add([this](std::vector<runtime::ExecutorFigures>& all) {
    all.push_back({.service = "gateway",
                   .name = "revocations",
                   .model = "thread",
                   .threads = 1,
                   .queue_depth = revocations_.size(),
                   .queue_max = static_cast<std::int64_t>(config_.revocations_max),
                   .rejected = revocations_.dropped()});
  });
  caller_.add(spec_, host_);
  collect(spec_);
  system_.show_routes(routes_);
  router_ = std::make_unique<http::Router>(std::move(entries_));
  authenticator_ = std::make_unique<gateway::Authenticator>(verifier_, revocations_, caller_, resolve_key_,
                                                            process_.clock, config_);
  budgets_ = std::make_unique<gateway::Budgets>(process_.stores.limits(), config_);
  dispatcher_ =
      std::make_unique<gateway::Dispatcher>(*router_, *authenticator_, *budgets_, caller_, process_.clock,
                                            process_.logger.with("gateway"), process_.metrics, routes_);
  server_ = std::make_unique<http::Server>(server_config_of(process_, "gateway"), executors_of(loops_),
                                           *dispatcher_, disk_, process_.clock, process_.random,
                                           process_.logger.with("http"));
}

void Door::collect(const services::ServiceSpec& spec) {
  for (const http::Route& route : spec.routes) {
    // From outside, what is internal is not even there: no other verb may tell of it.
    if (route.auth != http::Auth::internal) entries_.push_back({std::string(spec.name), &route});
    routes_.push_back(&route);
    if (route.pattern == kResolveKeyPattern) resolve_key_ = &route;
  }
}

void Door::call_elsewhere(const RunningServices& services) {
  if (read_process_config(process_.config).cluster_keys.empty()) return;
  gateway::UpstreamConfig upstream = gateway::read_upstream_config(process_.config, callable_services());
  remote_ =
      std::make_unique<gateway::RemoteCaller>(upstream, executors_of(loops_), call_signer_, process_.clock,
                                              process_.random, process_.logger, process_.metrics);
  caller_.pass_on_to(*remote_);
  for (const ServiceRow& row : service_table()) {
    const auto is_row = [&row](const auto& service) { return service->spec.name == row.name; };
    if (std::ranges::any_of(services, is_row) || !upstream.addresses.contains(row.name)) continue;
    services::ServiceSpec& spec = elsewhere_.emplace_back();
    spec.name = row.name;
    spec.routes = row.routes(process_.config);
    std::vector<const http::Route*> routes;
    for (http::Route& route : spec.routes) {
      route.fast = {};
      routes.push_back(&route);
    }
    const Result<void> added = remote_->add(row.name, routes);
    if (!added) throw std::runtime_error(added.error().text());
    collect(spec);
  }
}

gateway::SystemSources Door::sources(const RunningServices& services) {
  gateway::SystemSources sources = system_sources(services, process_);
  sources.not_ready = [this, others = std::move(sources.not_ready)] {
    std::vector<std::string> names = others();
    if (is_leaving_) names.emplace_back("nothing: this process is ending");
    return names;
  };
  sources.elsewhere = [this](Deadline deadline) { return ask_elsewhere(deadline); };
  return sources;
}

runtime::Task<std::vector<gateway::SystemSources::Elsewhere>> Door::ask_elsewhere(Deadline deadline) {
  std::vector<gateway::SystemSources::Elsewhere> all;
  if (!remote_) co_return all;
  constexpr std::chrono::seconds kPatience{2};
  const Deadline own = Deadline::after(process_.clock, kPatience);
  auto answers = co_await remote_->call_all(std::string(gateway::kFiguresPattern),
                                            own.at() < deadline.at() ? own : deadline, kProcessesAsked);
  for (gateway::ProcessAnswer& each : answers) {
    Result<std::string> figures = Error{Errc::unavailable, "no-figures", "the process did not tell"};
    if (each.answer && each.answer->status == 200) figures = std::move(each.answer->body);
    all.push_back({std::move(each.service), std::move(each.process), std::move(figures)});
  }
  co_return all;
}

void Door::send_away(Duration delay) {
  is_leaving_ = true;
  app::send_away(*server_, loops_, delay);
}

void Door::start() {
  // Whoever was signed out before this start stays out. Where the log does not answer the thread tries again.
  static_cast<void>(revocations_tail_.look());
  if (remote_) remote_->start();
  tail_thread_ = std::make_unique<runtime::WorkerThread>(
      runtime::ExecutorLabel{"gateway", "revocations"},
      [this](std::stop_token stop) { revocations_tail_.run(std::move(stop)); });
  server_->start();
}

void Door::drain(Deadline deadline) {
  runtime::Task<void> drained = server_->drain(deadline);
  runtime::block_on(loops_, std::move(drained));
}

void Door::stop() {
  if (remote_) remote_->stop();
  tail_thread_.reset();
  host_.stop();
  loops_.stop();
  disk_.stop();
}

}  // namespace ekiden::app
