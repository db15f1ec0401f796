#include "app/node.hpp"

#include <algorithm>
#include <stdexcept>

#include "app/door.hpp"
#include "app/inner_door.hpp"
#include "app/options.hpp"
#include "app/running_service.hpp"
#include "app/topic_maker.hpp"
#include "http/otlp_exporter.hpp"
#include "runtime/lifecycle.hpp"

namespace ekiden::app {

namespace {

constexpr std::string_view kGateway = "gateway";

void add_topic(std::vector<log::TopicConfig>& topics, log::TopicConfig topic) {
  const auto is_listed = [&topics](const std::string& name) {
    return std::ranges::any_of(topics, [&](const log::TopicConfig& one) { return one.name == name; });
  };
  if (is_listed(topic.name)) return;
  topics.push_back({.name = topic.name + ".dlq", .partitions = 1, .retention = std::chrono::hours{24 * 90}});
  topics.push_back(std::move(topic));
}

/// What these services publish, as they say; and what they consume of others that do not run here and may not
/// have made it yet.
std::vector<log::TopicConfig> topics_of(const RunningServices& services) {
  std::vector<log::TopicConfig> topics;
  for (const auto& service : services) {
    for (const log::TopicConfig& topic : service->spec.topics) add_topic(topics, topic);
  }
  for (const auto& service : services) {
    for (const delivery::Subscription& subscription : service->spec.consumers)
      add_topic(topics, {.name = std::string(subscription.topic)});
  }
  return topics;
}

std::unique_ptr<http::OtlpExporter> make_traces(const Config& config, const Clock& clock,
                                                const Logger& logger) {
  const ProcessConfig settings = read_process_config(config);
  if (settings.traces_endpoint.empty()) return nullptr;
  http::OtlpConfig otlp;
  otlp.endpoint = settings.traces_endpoint;
  otlp.instance = member_name(config);
  auto made = http::OtlpExporter::make(std::move(otlp), clock, logger.with("traces"));
  if (!made) throw std::runtime_error("tracing.endpoint: " + made.error().text());
  return *std::move(made);
}

}  // namespace

class Node::State {
 public:
  State(const Config& config, std::filesystem::path data, const std::vector<std::string>& names,
        const Clock& clock, Random& random, const Logger& logger, std::function<void()> on_fatal)
      : config_(config),
        clock_(clock),
        logger_(logger),
        ids_(clock, random),
        stores_(config_,
                {.data = std::move(data), .is_beside_server = false, .on_fatal = std::move(on_fatal)}, clock,
                random, figures_, logger),
        signer_(stores_.secrets().token_seed),
        cursors_(stores_.secrets().cursor_key),
        traces_(make_traces(config_, clock, logger)),
        process_{config_,  stores_,  clock,    random,  ids_,         signer_,
                 cursors_, figures_, metrics_, logger_, traces_.get()},
        services_(make_services(names, process_)),
        topics_(stores_.log(), topics_of(services_), clock, logger),
        lifecycle_(clock, logger_) {
    if (is_wanted(names, kGateway)) {
      door_ = std::make_unique<Door>(process_, services_);
    } else if (!read_process_config(config_).cluster_keys.empty()) {
      inner_door_ = std::make_unique<InnerDoor>(process_, services_, stores_.secrets().cluster);
    }
    add_stages();
  }

  Result<void> start() { return lifecycle_.start(); }
  std::uint16_t port() const { return door_ ? door_->port() : inner_door_ ? inner_door_->port() : 0; }

  std::optional<std::string> stop() {
    const ProcessConfig settings = read_process_config(config_);
    const auto grace = settings.grace;
    // In a cluster others go on calling until they have found out.
    if (door_ && !settings.cluster_keys.empty()) door_->send_away(settings.drain_delay);
    if (inner_door_) inner_door_->send_away(settings.drain_delay);
    // First of all, so that whoever asks is sent on while the rest still runs and finishes what is in work.
    if (door_) door_->drain(Deadline::after(clock_, grace));
    if (inner_door_) inner_door_->drain(Deadline::after(clock_, grace));
    return lifecycle_.stop(grace).stuck;
  }

 private:
  void add_stages();
  void add_service_stages(RunningService& service);

  const Config config_;
  const Clock& clock_;
  const Logger logger_;
  Ids ids_;
  runtime::FiguresRegistry figures_;
  runtime::Metrics metrics_;
  Stores stores_;
  const http::TokenSigner signer_;
  const http::CursorSealer cursors_;
  const std::unique_ptr<http::OtlpExporter> traces_;  ///< null where nobody looks
  const ProcessParts process_;
  RunningServices services_;
  std::unique_ptr<Door> door_;
  std::unique_ptr<InnerDoor> inner_door_;
  TopicMaker topics_;
  runtime::Lifecycle lifecycle_;
};

void Node::State::add_stages() {
  lifecycle_.add(
      {.name = "topics", .start = [this] { topics_.start(); }, .stop = [this] { topics_.stop(); }});
  lifecycle_.add({.name = "housekeeping",
                  .start = [this] { stores_.start_housekeeping(); },
                  .stop = [this] { stores_.stop_housekeeping(); }});
  for (const auto& service : services_) add_service_stages(*service);
  if (door_) {
    lifecycle_.add({.name = "http", .start = [this] { door_->start(); }, .stop = [this] { door_->stop(); }});
  }
  if (inner_door_) {
    lifecycle_.add(
        {.name = "http", .start = [this] { inner_door_->start(); }, .stop = [this] { inner_door_->stop(); }});
  }
  for (const auto& service : services_) {
    lifecycle_.add({.name = std::string(service->spec.name) + " consumers",
                    .start =
                        [&service = *service] {
                          service.spec.prepare();
                          service.start_consumers();
                        },
                    .stop = [&service = *service] { service.stop_consumers(); }});
  }
}

void Node::State::add_service_stages(RunningService& service) {
  lifecycle_.add({.name = std::string(service.spec.name) + " requests",
                  .start = [] {},
                  .stop = [&host = *service.host] { host.stop(); }});
  lifecycle_.add({.name = std::string(service.spec.name) + " relay",
                  .start = [&service] { service.start_relay(); },
                  .stop = [&service] { service.stop_relay(); }});
}

Node::Node(const Config& config, std::filesystem::path data, std::vector<std::string> services,
           const Clock& clock, Random& random, const Logger& logger, std::function<void()> on_fatal)
    : state_(std::make_unique<State>(config, std::move(data), services, clock, random, logger,
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
