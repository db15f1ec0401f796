#include "app/inner_door.hpp"

#include "app/listening.hpp"
#include "app/options.hpp"
#include "app/system_sources.hpp"
#include "runtime/block_on.hpp"
#include "services/gateway/options.hpp"

namespace ekiden::app {

namespace {

constexpr runtime::EventLoop kSystemModel{.loops = 1, .inflight_max = 1024};

}  // namespace

InnerDoor::InnerDoor(const ProcessParts& process, const RunningServices& services,
                     const http::ClusterSecret& secret)
    : process_(process),
      verifier_(secret, read_process_config(process.config).clock_skew),
      disk_({.service = "inner", .name = "disk"},
            {.threads = static_cast<std::size_t>(read_process_config(process.config).disk_threads),
             .queue_max = 4096},
            process.logger, process.figures),
      loops_({.service = "inner", .name = "requests"},
             std::get<runtime::EventLoop>(gateway::model(gateway::read_config(process.config))),
             process.clock, process.logger, process.figures),
      system_([this, &services, &process] {
        gateway::SystemSources sources = system_sources(services, process);
        sources.metrics_are_open = true;
        sources.not_ready = [this, others = std::move(sources.not_ready)] {
          std::vector<std::string> names = others();
          if (is_leaving_) names.emplace_back("nothing: this process is ending");
          return names;
        };
        return sources;
      }()),
      host_("inner.system", kSystemModel, process.clock, process.logger, process.figures) {
  for (const auto& service : services) {
    caller_.add(service->spec, *service->host);
    collect(service->spec);
  }
  spec_.name = "inner";
  spec_.model = kSystemModel;
  spec_.routes = system_.inner_routes();
  caller_.add(spec_, host_);
  collect(spec_);
  for (const http::Route& route : spec_.routes) {
    if (route.auth == http::Auth::none) open_.push_back(&route);
  }
  router_ = std::make_unique<http::Router>(std::move(entries_));
  dispatcher_ =
      std::make_unique<gateway::InnerPort>(*router_, verifier_, open_, caller_, process_.clock,
                                           process_.logger.with("inner"), process_.metrics, routes_);
  http::ServerConfig server =
      server_config_of(process_, services.empty() ? "inner" : services.front()->spec.name);
  gateway::make_inner(server);
  server_ = std::make_unique<http::Server>(std::move(server), executors_of(loops_), *dispatcher_, disk_,
                                           process_.clock, process_.random, process_.logger.with("http"));
}

void InnerDoor::collect(const services::ServiceSpec& spec) {
  for (const http::Route& route : spec.routes) {
    entries_.push_back({std::string(spec.name), &route});
    routes_.push_back(&route);
  }
}

void InnerDoor::send_away(Duration delay) {
  is_leaving_ = true;
  app::send_away(*server_, loops_, delay);
}

void InnerDoor::drain(Deadline deadline) {
  runtime::Task<void> drained = server_->drain(deadline);
  runtime::block_on(loops_, std::move(drained));
}

void InnerDoor::stop() {
  host_.stop();
  loops_.stop();
  disk_.stop();
}

}  // namespace ekiden::app
