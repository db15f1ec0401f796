#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/result.hpp"
#include "base/trace.hpp"

namespace ekiden::http {

struct OtlpConfig {
  std::string endpoint;          ///< `http://HOST:PORT[/PATH]`; the path is /v1/traces where it is left out
  std::string instance;          ///< names this process
  std::size_t queue_max = 8192;  ///< spans that wait; more are dropped and counted
  std::size_t batch_max = 512;   ///< spans of one call
  std::chrono::milliseconds interval{500};  ///< how long a batch may fill
  std::chrono::milliseconds timeout{5000};  ///< of one call
};

struct OtlpFigures {
  std::int64_t exported = 0;
  std::int64_t dropped = 0;  ///< the queue was full, or the collector did not take them
  std::int64_t waiting = 0;
};

/// Sends spans to an OpenTelemetry collector: OTLP over HTTP as JSON, from a thread of its own. A collector
/// that does not answer costs its spans, never a request. The destructor sends what waits, once.
/// @source opentelemetry.io/docs/specs/otlp
class OtlpExporter final : public SpanSink {
 public:
  /// Looks the host's name up, once. @errors invalid  `endpoint` is no such URL, or its host is unknown.
  static Result<std::unique_ptr<OtlpExporter>> make(OtlpConfig config, const Clock& clock, Logger logger);
  ~OtlpExporter() override;

  void record(Span span) override;
  bool wants(const TraceContext& context) const override { return context.sampled; }
  OtlpFigures figures() const;

 private:
  class State;
  explicit OtlpExporter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The body of one call: OTLP's ExportTraceServiceRequest in its JSON form, a resource for each service.
std::string to_otlp_json(const std::vector<Span>& spans, std::string_view instance);

}  // namespace ekiden::http
