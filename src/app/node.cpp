#include "app/node.hpp"

#include <algorithm>

#include "app/service_set.hpp"
#include "app/system_sources.hpp"
#include "http/server.hpp"
#include "runtime/block_on.hpp"
#include "runtime/lifecycle.hpp"
#include "services/gateway/dispatcher.hpp"
#include "services/gateway/options.hpp"
#include "services/gateway/system_api.hpp"

namespace ekiden::app {

namespace {

using Maker = std::unique_ptr<RunningService> (*)(const ServiceContext&);

/// Construction in this order, destruction in its reverse. Add a service here and in `service_table`.
constexpr std::pair<std::string_view, Maker> kMakers[] = {
    {"user", make_user}, {"workout", make_workout}, {"gamification", make_gamification}};

/// The most that workout.upload_files_max allows, and what comes beside the files.
constexpr std::size_t kFormFilesMax = 1000;
constexpr std::size_t kFormFieldsMax = 64;
constexpr std::string_view kResolveKeyPattern = "/internal/user/api-keys/resolve";

http::TrustedProxies proxies_of(const ProcessConfig& config) {
  auto proxies =
      http::TrustedProxies::parse(config.trusted_proxies, static_cast<std::size_t>(config.proxy_hops));
  if (!proxies) throw std::runtime_error("server.trusted_proxies: " + proxies.error().text());
  return *std::move(proxies);
}

}  // namespace

const std::vector<ServiceRow>& service_table() {
  static const std::vector<ServiceRow> table = {
      {"gateway", "event loop", "limits"},
      {"user", "thread pool", "sql, log"},
      {"workout", "coroutines and a worker pool", "sql, log, blobs"},
      {"gamification", "thread pool", "sql, log, ranking"},
  };
  return table;
}

class Node::State {
 public:
  State(const Config& config, std::filesystem::path data, std::vector<std::string> names, const Clock& clock,
        Random& random, const Logger& logger, std::function<void()> on_fatal)
      : process_(read_process_config(config)),
        gateway_config_(gateway::read_config(config)),
        clock_(clock),
        random_(random),
        logger_(logger),
        ids_(clock, random),
        stores_({.data = std::move(data),
                 .sql_readers = static_cast<int>(process_.sql_readers),
                 .on_fatal = std::move(on_fatal)},
                clock, random, logger),
        signer_(stores_.token_seed()),
        verifier_({signer_.public_key()}),
        cursors_(stores_.cursor_key()),
        disk_({.service = "gateway", .name = "disk"},
              {.threads = static_cast<std::size_t>(process_.disk_threads), .queue_max = 4096}, logger_,
              figures_),
        gateway_({.service = "gateway", .name = "requests"},
                 {.loops = static_cast<std::size_t>(gateway_config_.loops),
                  .inflight_max = static_cast<std::size_t>(gateway_config_.inflight_max)},
                 clock, logger_, figures_),
        lifecycle_(clock, logger_) {
    const ServiceContext context{config,  stores_,  clock,    random,   ids_,
                                 signer_, cursors_, figures_, metrics_, logger_};
    const auto wanted = [&names](std::string_view name) {
      return names.empty() || std::ranges::find(names, name) != names.end();
    };
    for (const auto& [name, make] : kMakers) {
      if (wanted(name)) services_.push_back(make(context));
    }
    for (const auto& service : services_) caller_.add(service->spec, *service->host);
    if (wanted("gateway")) make_gateway();
    add_stages();
  }

  Result<void> start() { return lifecycle_.start(); }
  std::uint16_t port() const { return server_ ? server_->port() : 0; }

  std::optional<std::string> stop() {
    if (server_) {
      // First of all, so that whoever asks is sent on while the rest still runs and finishes what is in work.
      runtime::Task<void> drain = server_->drain(Deadline::after(clock_, process_.grace));
      runtime::block_on(gateway_, std::move(drain));
    }
    return lifecycle_.stop(process_.grace).stuck;
  }

 private:
  void make_gateway();
  void add_stages();
  void add_consumer_stage(RunningService& service);

  const ProcessConfig process_;
  const gateway::GatewayConfig gateway_config_;
  const Clock& clock_;
  Random& random_;
  const Logger logger_;
  Ids ids_;
  runtime::FiguresRegistry figures_;
  runtime::Metrics metrics_;
  Stores stores_;
  const http::TokenSigner signer_;
  const http::TokenVerifier verifier_;
  const http::CursorSealer cursors_;
  std::vector<std::unique_ptr<RunningService>> services_;
  LocalCaller caller_;
  runtime::CpuPool disk_;
  runtime::EventLoopExecutor gateway_;
  std::unique_ptr<gateway::SystemApi> system_;
  services::ServiceSpec gateway_spec_;
  std::unique_ptr<ServiceHost> gateway_host_;
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<gateway::Authenticator> authenticator_;
  std::unique_ptr<gateway::Budgets> budgets_;
  std::unique_ptr<gateway::Dispatcher> dispatcher_;
  std::unique_ptr<http::Server> server_;
  runtime::Lifecycle lifecycle_;
};

void Node::State::make_gateway() {
  system_ = std::make_unique<gateway::SystemApi>(system_sources(services_, figures_, metrics_));
  gateway_spec_.name = "gateway";
  gateway_spec_.model = runtime::EventLoop{.loops = 1, .inflight_max = 1024};
  gateway_spec_.routes = system_->routes();
  gateway_host_ =
      std::make_unique<ServiceHost>("gateway.system", gateway_spec_.model, clock_, logger_, figures_);
  caller_.add(gateway_spec_, *gateway_host_);

  std::vector<http::Router::Entry> entries;
  std::vector<const http::Route*> routes;
  const http::Route* resolve_key = nullptr;
  const auto add = [&](const services::ServiceSpec& spec) {
    for (const http::Route& route : spec.routes) {
      // From outside, what is internal is not even there: no other verb may tell of it.
      if (route.auth != http::Auth::internal) entries.push_back({std::string(spec.name), &route});
      routes.push_back(&route);
      if (route.pattern == kResolveKeyPattern) resolve_key = &route;
    }
  };
  for (const auto& service : services_) add(service->spec);
  add(gateway_spec_);
  system_->show_routes(routes);
  router_ = std::make_unique<http::Router>(std::move(entries));
  authenticator_ =
      std::make_unique<gateway::Authenticator>(verifier_, caller_, resolve_key, clock_, gateway_config_);
  budgets_ = std::make_unique<gateway::Budgets>(stores_.limits(), gateway_config_);
  dispatcher_ = std::make_unique<gateway::Dispatcher>(*router_, *authenticator_, *budgets_, caller_, clock_,
                                                      logger_.with("gateway"), metrics_, routes);
  http::ServerConfig server;
  server.address = process_.address;
  server.port = process_.port;
  server.trusted_proxies = proxies_of(process_);
  server.spool_folder = stores_.spool_folder();
  stores_.clear_spool();
  server.connections_max = static_cast<std::size_t>(process_.connections_max);
  // A folder of files comes as one form; one more than it may hold is left for the service to refuse by name.
  server.multipart.files_max = kFormFilesMax + 1;
  server.multipart.parts_max = server.multipart.files_max + kFormFieldsMax;
  std::vector<boost::asio::any_io_executor> loops;
  loops.reserve(gateway_.loops());
  for (std::size_t i = 0; i < gateway_.loops(); ++i) loops.push_back(gateway_.executor(i));
  server_ = std::make_unique<http::Server>(
      std::move(server), std::move(loops), *dispatcher_,
      [this](std::move_only_function<void()> work) { return disk_.try_post(std::move(work)); }, clock_,
      random_, logger_.with("http"));
}

void Node::State::add_stages() {
  lifecycle_.add({.name = "topics",
                  .start =
                      [this] {
                        std::vector<log::TopicConfig> topics;
                        for (const auto& service : services_) {
                          for (const log::TopicConfig& topic : service->spec.topics) {
                            topics.push_back(topic);
                            topics.push_back({.name = topic.name + ".dlq",
                                              .partitions = 1,
                                              .retention = std::chrono::hours{24 * 90}});
                          }
                        }
                        const Result<void> made = stores_.log().ensure_topics(topics);
                        if (!made) throw std::runtime_error(made.error().text());
                      },
                  .stop = [] {}});
  for (const auto& service : services_) {
    lifecycle_.add({.name = std::string(service->spec.name) + " requests",
                    .start = [] {},
                    .stop = [&host = *service->host] { host.stop(); }});
    lifecycle_.add({.name = std::string(service->spec.name) + " relay",
                    .start = [&service = *service] { service.start_relay(); },
                    .stop = [&service = *service] { service.stop_relay(); }});
  }
  if (server_) {
    lifecycle_.add({.name = "http",
                    .start = [this] { server_->start(); },
                    .stop =
                        [this] {
                          gateway_host_->stop();
                          gateway_.stop();
                          disk_.stop();
                        }});
  }
  for (const auto& service : services_) add_consumer_stage(*service);
}

void Node::State::add_consumer_stage(RunningService& service) {
  lifecycle_.add({.name = std::string(service.spec.name) + " consumers",
                  .start =
                      [&service] {
                        service.spec.prepare();
                        service.start_consumers();
                      },
                  .stop = [&service] { service.stop_consumers(); }});
}

Node::Node(const Config& config, std::filesystem::path data, std::vector<std::string> services,
           const Clock& clock, Random& random, const Logger& logger, std::function<void()> on_fatal)
    : state_(std::make_unique<State>(config, std::move(data), std::move(services), clock, random, logger,
                                     std::move(on_fatal))) {}

Node::~Node() = default;

Result<void> Node::start() {
  return state_->start();
}

std::uint16_t Node::port() const {
  return state_->port();
}

std::optional<std::string> Node::stop() {
  return state_->stop();
}

}  // namespace ekiden::app
