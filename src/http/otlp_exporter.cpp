#include "http/otlp_exporter.hpp"

#include <algorithm>
#include <atomic>
#include <map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_future.hpp>

#include "base/bounded_queue.hpp"
#include "http/client.hpp"
#include "json/write.hpp"
#include "runtime/worker_thread.hpp"

namespace ekiden::http {

namespace {

namespace asio = boost::asio;

struct Endpoint {
  std::string host;
  std::string port = "4318";
  std::string path = "/v1/traces";
};

Error bad_endpoint(const std::string& text) {
  return Error{Errc::invalid, "bad-endpoint", text, "tracing.endpoint"};
}

Result<Endpoint> parse_endpoint(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return bad_endpoint("a collector's address begins with http://");
  url.remove_prefix(kScheme.size());
  Endpoint endpoint;
  const std::size_t slash = url.find('/');
  if (slash != std::string_view::npos && slash + 1 < url.size()) endpoint.path = url.substr(slash);
  std::string_view authority = url.substr(0, slash);
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    endpoint.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  const bool is_port = !endpoint.port.empty() && endpoint.port.size() <= 5 &&
                       std::ranges::all_of(endpoint.port, [](char c) { return c >= '0' && c <= '9'; });
  if (authority.empty() || !is_port) return bad_endpoint("a collector's address is http://HOST:PORT");
  endpoint.host = authority;
  return endpoint;
}

void append_text(std::string& out, std::string_view name, std::string_view value) {
  json::append(out, std::string(name));
  out += ':';
  json::append(out, std::string(value));
}

void append_attribute(std::string& out, std::string_view key, std::string_view value) {
  out += '{';
  append_text(out, "key", key);
  out += ",\"value\":{";
  append_text(out, "stringValue", value);
  out += "}}";
}

std::string nanos(Timestamp at) {
  return std::to_string(std::chrono::nanoseconds(at.time_since_epoch()).count());
}

void append_span(std::string& out, const Span& span) {
  constexpr int kStatusError = 2;
  out += '{';
  append_text(out, "traceId", span.context.trace_id);
  out += ',';
  append_text(out, "spanId", span.context.span_id);
  if (!span.context.parent_span_id.empty()) {
    out += ',';
    append_text(out, "parentSpanId", span.context.parent_span_id);
  }
  out += ',';
  append_text(out, "name", span.name);
  out += ",\"kind\":" + std::to_string(static_cast<int>(span.kind)) + ",";
  append_text(out, "startTimeUnixNano", nanos(span.start));
  out += ',';
  append_text(out, "endTimeUnixNano", nanos(span.end));
  out += ",\"attributes\":[";
  for (std::size_t i = 0; i < span.attributes.size(); ++i) {
    if (i > 0) out += ',';
    append_attribute(out, span.attributes[i].first, span.attributes[i].second);
  }
  out += ']';
  if (!span.error.empty()) {
    out += ",\"status\":{\"code\":" + std::to_string(kStatusError) + ",";
    append_text(out, "message", span.error);
    out += '}';
  }
  out += '}';
}

}  // namespace

std::string to_otlp_json(const std::vector<Span>& spans, std::string_view instance) {
  std::map<std::string_view, std::vector<const Span*>> by_service;
  for (const Span& span : spans) by_service[span.service].push_back(&span);
  std::string out = R"({"resourceSpans":[)";
  bool first_service = true;
  for (const auto& [service, own] : by_service) {
    if (!std::exchange(first_service, false)) out += ',';
    out += R"({"resource":{"attributes":[)";
    append_attribute(out, "service.namespace", "ekiden");
    out += ',';
    append_attribute(out, "service.name", service);
    out += ',';
    append_attribute(out, "service.instance.id", instance);
    out += R"(]},"scopeSpans":[{"scope":{"name":"ekiden"},"spans":[)";
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (i > 0) out += ',';
      append_span(out, *own[i]);
    }
    out += "]}]}";
  }
  return out + "]}";
}

class OtlpExporter::State {
 public:
  State(OtlpConfig config, ClientConfig client, std::string path, const Clock& clock, Logger logger)
      : config_(std::move(config)),
        path_(std::move(path)),
        clock_(clock),
        logger_(std::move(logger)),
        client_(loop_.get_executor(), std::move(client)),
        queue_(config_.queue_max),
        thread_({.service = "process", .name = "traces"}, [this](std::stop_token) { run(); }) {}

  ~State() {
    queue_.close();
    thread_.join();
  }

  void record(Span&& span) {
    if (!queue_.try_push(std::move(span))) dropped_.fetch_add(1, std::memory_order_relaxed);
  }

  OtlpFigures figures() const {
    return {.exported = exported_.load(std::memory_order_relaxed),
            .dropped = dropped_.load(std::memory_order_relaxed),
            .waiting = static_cast<std::int64_t>(queue_.size())};
  }

 private:
  void run() {
    while (auto first = queue_.pop()) {
      std::vector<Span> batch;
      batch.push_back(*std::move(first));
      const Instant full_at = clock_.monotonic() + config_.interval;
      while (batch.size() < config_.batch_max) {
        auto next = queue_.pop_until(full_at);
        if (!next) break;
        batch.push_back(*std::move(next));
      }
      send(batch);
    }
  }

  void send(const std::vector<Span>& batch) {
    ClientRequest request;
    request.verb = Verb::post;
    request.target = path_;
    request.body = to_otlp_json(batch, config_.instance);
    request.headers.set("Content-Type", "application/json");
    auto answer = asio::co_spawn(
        loop_, client_.call(std::move(request), Deadline::after(clock_, config_.timeout)), asio::use_future);
    loop_.restart();
    loop_.run();
    const Result<ClientResponse> response = answer.get();
    const bool taken = response && response->status / 100 == 2;
    const auto count = static_cast<std::int64_t>(batch.size());
    (taken ? exported_ : dropped_).fetch_add(count, std::memory_order_relaxed);
    if (taken == is_well_) return;
    is_well_ = taken;
    if (taken) {
      logger_.info("traces_flow_again", {{"endpoint", config_.endpoint}});
      return;
    }
    const std::string why = response ? "status " + std::to_string(response->status) : response.error().text();
    logger_.warning("traces_not_taken", {{"endpoint", config_.endpoint}, {"error", why}});
  }

  const OtlpConfig config_;
  const std::string path_;
  const Clock& clock_;
  const Logger logger_;
  asio::io_context loop_{1};  ///< run by the exporting thread, one call at a time
  Client client_;
  BoundedQueue<Span> queue_;
  std::atomic<std::int64_t> exported_ = 0;
  std::atomic<std::int64_t> dropped_ = 0;
  bool is_well_ = true;  ///< the exporting thread's own
  runtime::WorkerThread thread_;
};

Result<std::unique_ptr<OtlpExporter>> OtlpExporter::make(OtlpConfig config, const Clock& clock,
                                                         Logger logger) {
  EKIDEN_TRY(const Endpoint endpoint, parse_endpoint(config.endpoint));
  asio::io_context io;
  boost::system::error_code failed;
  const auto found = asio::ip::tcp::resolver(io).resolve(endpoint.host, endpoint.port, failed);
  if (failed || found.empty()) return bad_endpoint("the collector's host '" + endpoint.host + "' is unknown");
  const asio::ip::tcp::endpoint at = found.begin()->endpoint();
  // A connection a call: a POST on a kept one that the collector has just closed would be lost.
  ClientConfig client{.address = at.address().to_string(),
                      .port = at.port(),
                      .host = endpoint.host + ":" + endpoint.port,
                      .idle_max = 0};
  return std::unique_ptr<OtlpExporter>(new OtlpExporter(std::make_unique<State>(
      std::move(config), std::move(client), endpoint.path, clock, std::move(logger))));
}

OtlpExporter::OtlpExporter(std::unique_ptr<State> state) : state_(std::move(state)) {}
OtlpExporter::~OtlpExporter() = default;

void OtlpExporter::record(Span span) {
  state_->record(std::move(span));
}

OtlpFigures OtlpExporter::figures() const {
  return state_->figures();
}

}  // namespace ekiden::http
