#include "http/answer_framing.hpp"

#include <algorithm>
#include <charconv>

#include "http/text.hpp"

namespace ekiden::http {
namespace {

using Why = std::optional<std::string_view>;

Why parse_status_line(std::string_view line, AnswerView& view) {
  constexpr std::string_view kStart = "HTTP/1.";
  constexpr std::size_t kLeast = 12;  // `HTTP/1.1 200`
  if (line.size() < kLeast || !line.starts_with(kStart) || line[8] != ' ') return "bad status line";
  if (line[7] != '0' && line[7] != '1') return "bad version";
  if (line.size() > kLeast && line[kLeast] != ' ') return "bad status line";
  const std::string_view digits = line.substr(9, 3);
  if (!std::ranges::all_of(digits, is_digit) || digits[0] == '0') return "bad status";
  std::from_chars(digits.data(), digits.data() + digits.size(), view.status);
  view.version_minor = line[7] - '0';
  return std::nullopt;
}

struct Framing {
  int content_lengths = 0;
  int transfer_encodings = 0;
  bool close = false;
  bool keep = false;
};

Why note_length(std::string_view value, AnswerView& view, Framing& framing) {
  constexpr std::size_t kDigitsMax = 18;  // fits 63 bits
  if (++framing.content_lengths > 1) return "two Content-Length";
  if (value.empty() || value.size() > kDigitsMax || !std::ranges::all_of(value, is_digit))
    return "bad Content-Length";
  std::int64_t length = 0;
  std::from_chars(value.data(), value.data() + value.size(), length);
  view.content_length = length;
  return std::nullopt;
}

/// Names are told apart by their length first, so that most fields cost one comparison.
Why note(const FieldView& field, AnswerView& view, Framing& framing) {
  switch (field.name.size()) {
    case 10:
      if (!equal_no_case(field.name, "connection")) break;
      view.connection = field.value;
      framing.close |= has_token(field.value, "close");
      framing.keep |= has_token(field.value, "keep-alive");
      break;
    case 14:
      if (equal_no_case(field.name, "content-length")) return note_length(field.value, view, framing);
      break;
    case 17:
      if (!equal_no_case(field.name, "transfer-encoding")) break;
      if (++framing.transfer_encodings > 1 || !equal_no_case(field.value, "chunked"))
        return "Transfer-Encoding other than chunked";
      view.chunked = true;
      break;
    default:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::string_view AnswerView::get(std::string_view name) const {
  for (const FieldView& field : fields()) {
    if (equal_no_case(field.name, name)) return field.value;
  }
  return {};
}

std::optional<std::string_view> parse_answer_head(std::string_view bytes, const FramingLimits& limits,
                                                  AnswerView& view) {
  view.field_count = 0;
  view.content_length.reset();
  view.chunked = false;
  view.connection = {};
  const std::size_t line_end = bytes.find("\r\n");
  if (line_end == std::string_view::npos) return "no status line";
  if (Why why = parse_status_line(bytes.substr(0, line_end), view)) return why;
  Framing framing;
  std::string_view rest = bytes.substr(line_end + 2);
  while (true) {
    const std::size_t end = rest.find("\r\n");
    if (end == 0) break;
    if (end == std::string_view::npos) return "the head does not end in an empty line";
    if (view.field_count == std::min(limits.fields_max, HeadView::kFieldsMax)) return "too many headers";
    FieldView& field = view.field_array[view.field_count];
    if (const auto refusal = parse_field(rest.substr(0, end), limits, field)) return refusal->detail;
    if (Why why = note(field, view, framing)) return why;
    ++view.field_count;
    rest.remove_prefix(end + 2);
  }
  if (view.chunked && view.content_length) return "Content-Length and Transfer-Encoding";
  if (view.chunked && view.version_minor == 0) return "chunks in HTTP/1.0";
  view.keep_alive = !framing.close && (view.version_minor == 1 || framing.keep);
  return std::nullopt;
}

bool is_hop_by_hop(std::string_view name, std::string_view connection) {
  for (const std::string_view own :
       {"Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "TE", "Trailer", "Proxy-Connection",
        "Proxy-Authenticate", "Proxy-Authorization"}) {
    if (equal_no_case(name, own)) return true;
  }
  return !connection.empty() && has_token(connection, name);
}

}  // namespace ekiden::http
