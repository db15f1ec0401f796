#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace ekiden {

/// W3C trace context: which trace a piece of work belongs to, and which step of it it is.
/// @source w3.org/TR/trace-context
struct TraceContext {
  std::string trace_id;  ///< 32 hex digits
  std::string span_id;   ///< 16 hex digits
  bool sampled = false;
  std::string parent_span_id{};  ///< 16 hex digits, or empty for the first step; not part of traceparent
  std::string to_traceparent() const;
  static std::optional<TraceContext> parse(std::string_view traceparent);
  /// The next step of this one's trace.
  TraceContext child(Random& random) const;
};

/// OTLP's numbers. @source opentelemetry/proto/trace/v1/trace.proto
enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3, producer = 4, consumer = 5 };

/// One step of a trace that has ended.
struct Span {
  TraceContext context;
  SpanKind kind = SpanKind::internal;
  std::string service;  ///< `workout`
  std::string name;     ///< of few kinds: `POST /api/v1/uploads`, `process workout.recorded`
  Timestamp start;
  Timestamp end;
  std::vector<std::pair<std::string, std::string>> attributes{};
  std::string error{};  ///< empty where it went well
};

/// Takes spans that have ended. @threads any; never blocks
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  /// Only sampled spans are worth making: ask `wants` first.
  virtual void record(Span span) = 0;
  virtual bool wants(const TraceContext& context) const = 0;
};

/// Where nobody looks at traces.
class NoSpans final : public SpanSink {
 public:
  void record(Span span) override { (void)span; }
  bool wants(const TraceContext& context) const override {
    (void)context;
    return false;
  }
};

}  // namespace ekiden
