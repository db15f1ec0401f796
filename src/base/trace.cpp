#include "base/trace.hpp"

#include <algorithm>
#include <array>

namespace ekiden {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kSpanBytes = 8;

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return kDigits.find(c) != std::string_view::npos; });
}

bool is_all_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

std::string TraceContext::to_traceparent() const {
  return "00-" + trace_id + "-" + span_id + (sampled ? "-01" : "-00");
}

std::optional<TraceContext> TraceContext::parse(std::string_view text) {
  constexpr std::size_t kLength = 55;
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view span = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!is_lower_hex(version) || !is_lower_hex(trace) || !is_lower_hex(span) || !is_lower_hex(flags))
    return std::nullopt;
  // A later version may append fields after another dash; version ff is never valid.
  if (version == "ff" || (version == "00" && text.size() != kLength)) return std::nullopt;
  if (text.size() > kLength && text[kLength] != '-') return std::nullopt;
  if (is_all_zero(trace) || is_all_zero(span)) return std::nullopt;
  const bool sampled = kDigits.find(flags[1]) % 2 == 1;
  return TraceContext{.trace_id = std::string(trace), .span_id = std::string(span), .sampled = sampled};
}

TraceContext TraceContext::child(Random& random) const {
  std::array<std::byte, kSpanBytes> bytes{};
  random.fill(bytes);
  std::string id;
  id.reserve(2 * kSpanBytes);
  for (const std::byte byte : bytes) {
    id += kDigits[std::to_integer<std::size_t>(byte >> 4U)];
    id += kDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return {.trace_id = trace_id, .span_id = std::move(id), .sampled = sampled, .parent_span_id = span_id};
}

}  // namespace ekiden
