#include "services/gateway/system_api.hpp"

#include <boost/describe.hpp>

#include "events/catalog.hpp"
#include "http/etag.hpp"
#include "json/json.hpp"
#include "services/gateway/openapi.hpp"
#include "services/gateway/pages.hpp"

namespace ekiden::runtime {
BOOST_DESCRIBE_STRUCT(ExecutorFigures, (),
                      (service, name, model, threads, threads_busy, queue_depth, queue_max, in_flight,
                       in_flight_max, loop_lag_us, loop_lag_max_us, completed, rejected))
}  // namespace ekiden::runtime

namespace ekiden::gateway {

BOOST_DESCRIBE_STRUCT(SystemSources::Lag, (),
                      (group, topic, partition, lag_events, prefetched, applied, dead, parked))

namespace {

struct HealthView {
  std::string status;
};
BOOST_DESCRIBE_STRUCT(HealthView, (), (status))

struct ReadinessView {
  std::string status;
  std::vector<std::string> waiting_for;
};
BOOST_DESCRIBE_STRUCT(ReadinessView, (), (status, waiting_for))

struct ServiceView {
  std::string name;
  std::string model;
};
BOOST_DESCRIBE_STRUCT(ServiceView, (), (name, model))

/// What one process tells a gateway.
struct FiguresView {
  std::vector<runtime::ExecutorFigures> executors;
  std::vector<SystemSources::Lag> consumers;
};
BOOST_DESCRIBE_STRUCT(FiguresView, (), (executors, consumers))

struct ProcessView {
  std::string service;
  std::string process;
  bool answers = false;
  std::vector<runtime::ExecutorFigures> executors;
  std::vector<SystemSources::Lag> consumers;
};
BOOST_DESCRIBE_STRUCT(ProcessView, (), (service, process, answers, executors, consumers))

struct ConcurrencyView {
  std::vector<ServiceView> services;
  std::vector<runtime::ExecutorFigures> executors;
  std::vector<SystemSources::Lag> consumers;
  std::vector<ProcessView> processes;  ///< the others of the cluster
};
BOOST_DESCRIBE_STRUCT(ConcurrencyView, (), (services, executors, consumers, processes))

ProcessView view_of(SystemSources::Elsewhere& elsewhere) {
  ProcessView view{.service = std::move(elsewhere.service),
                   .process = std::move(elsewhere.process),
                   .answers = false,
                   .executors = {},
                   .consumers = {}};
  if (!elsewhere.figures) return view;
  Result<FiguresView> read = json::read<FiguresView>(*elsewhere.figures);
  if (!read) return view;
  view.answers = true;
  view.executors = std::move(read->executors);
  view.consumers = std::move(read->consumers);
  return view;
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

}  // namespace

SystemApi::SystemApi(SystemSources sources) : sources_(std::move(sources)), asyncapi_(events::asyncapi()) {}

void SystemApi::show_routes(const std::vector<const http::Route*>& routes) {
  openapi_ = openapi_document(routes, sources_.version);
  api_page_ = api_page(routes);
}

runtime::Task<Result<http::Response>> SystemApi::health(http::Request) {
  co_return http::Response::json(200, json::write(HealthView{.status = "ok"}));
}

runtime::Task<Result<http::Response>> SystemApi::readiness(http::Request) {
  ReadinessView view{.status = "ready", .waiting_for = sources_.not_ready()};
  if (view.waiting_for.empty()) co_return http::Response::json(200, json::write(view));
  view.status = "starting";
  http::Response response = http::Response::json(503, json::write(view));
  response.headers.set("Retry-After", "1");
  co_return response;
}

runtime::Task<Result<http::Response>> SystemApi::metrics(http::Request request) {
  // A scraper on this machine needs no account; everyone else must be an administrator.
  const bool admin =
      request.identity && request.identity->role == http::Role::admin && !request.identity->by_api_key;
  if (!sources_.metrics_are_open && !admin && (request.identity || !is_loopback(request.client_address))) {
    co_return Error{Errc::forbidden, "not-an-administrator",
                    "only administrators, or a scraper on this machine, may read this"};
  }
  http::Response response;
  response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  response.body = sources_.metrics();
  co_return response;
}

runtime::Task<Result<http::Response>> SystemApi::figures(http::Request) {
  co_return http::Response::json(
      200, json::write(FiguresView{.executors = sources_.figures->collect(), .consumers = sources_.lags()}));
}

runtime::Task<Result<http::Response>> SystemApi::concurrency(http::Request request) {
  ConcurrencyView view;
  for (const auto& [name, model] : sources_.services_and_models)
    view.services.push_back({.name = name, .model = model});
  view.executors = sources_.figures->collect();
  view.consumers = sources_.lags();
  if (sources_.elsewhere) {
    auto others = co_await sources_.elsewhere(request.deadline);
    for (SystemSources::Elsewhere& each : others) view.processes.push_back(view_of(each));
  }
  co_return http::Response::json(200, json::write(view));
}

runtime::Task<Result<http::Response>> SystemApi::openapi(http::Request request) {
  co_return http::with_etag(request, http::etag_of_content(openapi_), http::Response::json(200, openapi_));
}

runtime::Task<Result<http::Response>> SystemApi::asyncapi(http::Request request) {
  co_return http::with_etag(request, http::etag_of_content(asyncapi_), http::Response::json(200, asyncapi_));
}

runtime::Task<Result<http::Response>> SystemApi::start(http::Request) {
  co_return html(start_page(sources_.services_and_models, sources_.version));
}

runtime::Task<Result<http::Response>> SystemApi::browse(http::Request) {
  co_return html(api_page_);
}

std::vector<http::Route> SystemApi::inner_routes() {
  std::vector<http::Route> inner = routes();
  std::erase_if(inner, [](const http::Route& route) {
    return route.pattern != "/healthz" && route.pattern != "/readyz" && route.pattern != "/metrics";
  });
  inner.push_back({.verb = http::Verb::get,
                   .pattern = kFiguresPattern,
                   .handler = http::CoroutineHandler(
                       [this](http::Request request) { return figures(std::move(request)); }),
                   .auth = http::Auth::internal,
                   .doc = {.summary = "What runs in this process", .tag = "system"}});
  return inner;
}

std::vector<http::Route> SystemApi::routes() {
  using http::Auth;
  using http::RateClass;
  using http::Verb;
  using Method = runtime::Task<Result<http::Response>> (SystemApi::*)(http::Request);
  const auto call = [this](Method method) {
    return http::CoroutineHandler(
        [this, method](http::Request request) { return (this->*method)(std::move(request)); });
  };
  return {
      {.verb = Verb::get,
       .pattern = "/healthz",
       .handler = call(&SystemApi::health),
       .auth = Auth::none,
       .rate_class = RateClass::none,
       .doc = {.summary = "Whether the process lives",
               .tag = "system",
               .response_schema = json::schema_of<HealthView>}},
      {.verb = Verb::get,
       .pattern = "/readyz",
       .handler = call(&SystemApi::readiness),
       .auth = Auth::none,
       .rate_class = RateClass::none,
       .doc = {.summary = "Whether it can do its work",
               .tag = "system",
               .response_schema = json::schema_of<ReadinessView>}},
      {.verb = Verb::get,
       .pattern = "/metrics",
       .handler = call(&SystemApi::metrics),
       .auth = Auth::none,
       .rate_class = RateClass::none,
       .doc = {.summary = "Figures for Prometheus", .tag = "system"}},
      {.verb = Verb::get,
       .pattern = "/api/v1/system/concurrency",
       .handler = call(&SystemApi::concurrency),
       .auth = Auth::admin,
       .doc = {.summary = "What runs on what, and how busy it is",
               .tag = "system",
               .response_schema = json::schema_of<ConcurrencyView>}},
      {.verb = Verb::get,
       .pattern = "/api/v1/openapi.json",
       .handler = call(&SystemApi::openapi),
       .auth = Auth::none,
       .doc = {.summary = "This document", .tag = "system"}},
      {.verb = Verb::get,
       .pattern = "/api/v1/asyncapi.json",
       .handler = call(&SystemApi::asyncapi),
       .auth = Auth::none,
       .doc = {.summary = "The events on the log, as an AsyncAPI 3.0 document", .tag = "system"}},
      {.verb = Verb::get,
       .pattern = "/",
       .handler = call(&SystemApi::start),
       .auth = Auth::none,
       .doc = {.summary = "What runs here", .tag = "system"}},
      {.verb = Verb::get,
       .pattern = "/api",
       .handler = call(&SystemApi::browse),
       .auth = Auth::none,
       .doc = {.summary = "The interface, to browse", .tag = "system"}},
  };
}

}  // namespace ekiden::gateway
