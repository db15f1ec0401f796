#include "http/framing.hpp"

#include <algorithm>
#include <charconv>

#include "http/text.hpp"

namespace ekiden::http {
namespace {

using Refused = std::optional<Refusal>;

Refusal bad_header(std::string_view why) {
  return {400, "bad-header", why};
}
Refusal bad_framing(std::string_view why) {
  return {400, "bad-framing", why};
}
Refusal bad_host(std::string_view why) {
  return {400, "bad-host", why};
}
Refusal headers_too_large(std::string_view why) {
  return {431, "headers-too-large", why};
}
Refusal uri_too_long() {
  return {414, "uri-too-long", "The request target is longer than 8 KiB."};
}

constexpr auto kTokenTable = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = is_token_char(static_cast<char>(i));
  return table;
}();

/// Visible ASCII, space, tab and bytes beyond ASCII.
constexpr auto kValueTable = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = i == '\t' || (i >= 0x20 && i != 0x7f);
  return table;
}();

bool all_in(const std::array<bool, 256>& table, std::string_view text) {
  bool good = true;
  for (const char c : text) good &= table[static_cast<unsigned char>(c)];
  return good;
}

/// What the fields that frame a message have said so far.
struct Framing {
  std::string_view content_length;
  std::string_view transfer_encoding;
  std::string_view expect;
  std::string_view connection;
  int content_lengths = 0;
  int transfer_encodings = 0;
  int hosts = 0;
  int expects = 0;
  bool has_upgrade = false;
  bool close = false;
  bool keep = false;
};

void note_connection(Framing& framing, std::string_view value, bool& upgrade) {
  framing.close |= has_token(value, "close");
  framing.keep |= has_token(value, "keep-alive");
  upgrade |= has_token(value, "upgrade");
}

/// Names are told apart by their length first, so that most fields cost one comparison.
void note(Framing& framing, HeadView& head, const FieldView& field, bool& upgrade) {
  const auto is = [&field](std::string_view name) { return equal_no_case(field.name, name); };
  switch (field.name.size()) {
    case 4:
      if (is("host")) {
        head.host = field.value;
        ++framing.hosts;
      }
      break;
    case 6:
      if (is("expect")) {
        framing.expect = field.value;
        ++framing.expects;
      }
      break;
    case 7:
      if (is("upgrade")) framing.has_upgrade = true;
      break;
    case 10:
      if (is("connection")) note_connection(framing, field.value, upgrade);
      break;
    case 14:
      if (is("content-length")) {
        framing.content_length = field.value;
        ++framing.content_lengths;
      }
      break;
    case 17:
      if (is("transfer-encoding")) {
        framing.transfer_encoding = field.value;
        ++framing.transfer_encodings;
      }
      break;
    default:
      break;
  }
}

Refused check_transfer_encoding(const Framing& framing, HeadView& head) {
  if (framing.transfer_encodings == 0) return std::nullopt;
  if (framing.content_lengths > 0)
    return bad_framing("Content-Length and Transfer-Encoding exclude each other.");
  if (framing.transfer_encodings > 1) return bad_framing("There is more than one Transfer-Encoding.");
  if (head.version_minor == 0) return bad_framing("HTTP/1.0 knows no Transfer-Encoding.");
  const std::string_view value = framing.transfer_encoding;
  if (equal_no_case(value, "chunked")) {
    head.chunked = true;
    return std::nullopt;
  }
  if (has_token(value, "chunked")) return bad_framing("Transfer-Encoding names more than chunked.");
  return Refusal{501, "bad-framing", "The only transfer coding spoken here is chunked."};
}

Refused check_content_length(const Framing& framing, HeadView& head) {
  if (framing.content_lengths == 0) return std::nullopt;
  if (framing.content_lengths > 1) return bad_framing("There is more than one Content-Length.");
  const std::string_view value = framing.content_length;
  constexpr std::size_t kDigitsMax = 18;  // fits 63 bits
  if (value.empty() || value.size() > kDigitsMax || !std::ranges::all_of(value, is_digit))
    return bad_framing("Content-Length is not a plain decimal number.");
  std::int64_t length = 0;
  std::from_chars(value.data(), value.data() + value.size(), length);
  head.content_length = length;
  return std::nullopt;
}

Refused check_expect(const Framing& framing, HeadView& head) {
  if (framing.expects == 0 || head.version_minor == 0) return std::nullopt;
  if (framing.expects > 1 || !equal_no_case(framing.expect, "100-continue"))
    return Refusal{417, "expectation-failed", "The only expectation met here is 100-continue."};
  head.expects_continue = true;
  return std::nullopt;
}

Refused check_host(const Framing& framing, const FramingLimits& limits, const HeadView& head) {
  if (framing.hosts > 1) return bad_host("There is more than one Host.");
  if (framing.hosts == 0) {
    if (head.version_minor == 0) return std::nullopt;
    return bad_host("There is no Host.");
  }
  if (!is_valid_authority(head.host)) return bad_host("Host is not a name or address with an optional port.");
  if (limits.public_hosts.empty()) return std::nullopt;
  const auto is_own = [&head](const std::string& own) { return equal_no_case(own, head.host); };
  if (!std::ranges::any_of(limits.public_hosts, is_own))
    return Refusal{421, "misdirected", "This server does not answer for that host."};
  return std::nullopt;
}

/// `http://authority/path` to `/path`, where the authority is our own.
Refused take_absolute_form(HeadView& head) {
  const std::size_t scheme = head.target.find("://");
  std::string_view rest = head.target.substr(scheme + 3);
  const std::size_t end = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, end);
  if (!equal_no_case(authority, head.host))
    return Refusal{421, "misdirected", "The target names another host than Host does."};
  if (end == std::string_view::npos || rest[end] == '?')
    return Refusal{400, "bad-path", "The target has no path."};
  head.target = rest.substr(end);
  return std::nullopt;
}

Refused check_target(HeadView& head) {
  if (head.target.front() == '/') return std::nullopt;
  if (head.target == "*" && head.verb == Verb::options) return std::nullopt;
  if (starts_with_no_case(head.target, "http://") || starts_with_no_case(head.target, "https://"))
    return take_absolute_form(head);
  return Refusal{400, "bad-path", "The target does not begin with a slash."};
}

Refused parse_version(std::string_view text, HeadView& head) {
  if (text == "HTTP/1.1") {
    head.version_minor = 1;
  } else if (text == "HTTP/1.0") {
    head.version_minor = 0;
  } else if (text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
             is_digit(text[7])) {
    return Refusal{505, "version-not-supported", "HTTP/1.1 and HTTP/1.0 are spoken here."};
  } else {
    return Refusal{400, "bad-request-line", "The request line does not end in a version."};
  }
  return std::nullopt;
}

Refused parse_request_line(std::string_view line, const FramingLimits& limits, HeadView& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == 0 || first == last)
    return Refusal{400, "bad-request-line", "The request line is not `METHOD target HTTP/1.1`."};
  const std::string_view method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  if (!all_in(kTokenTable, method)) return Refusal{400, "bad-request-line", "The method is not a token."};
  if (head.target.size() > limits.target_bytes_max) return uri_too_long();
  const auto is_bad = [](char c) {
    return is_control(c) || c == ' ' || static_cast<unsigned char>(c) >= 0x80;
  };
  if (head.target.empty() || std::ranges::any_of(head.target, is_bad))
    return Refusal{400, "bad-path", "The target holds a character that must be escaped."};
  if (Refused refused = parse_version(line.substr(last + 1), head)) return refused;
  const std::optional<Verb> verb = parse_verb(method);
  if (!verb) return Refusal{405, "method-not-allowed", "This method is not spoken here.", kAllVerbs};
  head.verb = *verb;
  return std::nullopt;
}

Refused parse_fields(std::string_view rest, const FramingLimits& limits, HeadView& head, Framing& framing) {
  bool upgrade = false;
  while (true) {
    const std::size_t end = rest.find("\r\n");
    if (end == 0) break;
    if (end == std::string_view::npos) return bad_header("The head does not end in an empty line.");
    if (head.field_count == std::min(limits.fields_max, HeadView::kFieldsMax))
      return headers_too_large("There are more than 64 headers.");
    FieldView& field = head.field_array[head.field_count];
    if (Refused refused = parse_field(rest.substr(0, end), limits, field)) return refused;
    note(framing, head, field, upgrade);
    ++head.field_count;
    rest.remove_prefix(end + 2);
  }
  head.wants_upgrade = upgrade && framing.has_upgrade;
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> parse_field(std::string_view line, const FramingLimits& limits, FieldView& field) {
  if (line.size() > limits.field_bytes_max) return headers_too_large("A header is longer than 8 KiB.");
  if (line.front() == ' ' || line.front() == '\t') return bad_header("A header is folded over two lines.");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return bad_header("A header has no name or no colon.");
  field.name = line.substr(0, colon);
  if (!all_in(kTokenTable, field.name))
    return bad_header("A header's name holds a character that names do not hold.");
  field.value = trim(line.substr(colon + 1));
  if (!all_in(kValueTable, field.value)) return bad_header("A header holds a control character.");
  return std::nullopt;
}

std::string_view HeadView::get(std::string_view name) const {
  for (const FieldView& field : fields()) {
    if (equal_no_case(field.name, name)) return field.value;
  }
  return {};
}

std::size_t HeadView::count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      fields(), [name](const FieldView& field) { return equal_no_case(field.name, name); }));
}

bool is_valid_authority(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  const std::size_t bracket = text.find(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (host.empty() || port.size() > 5 || !std::ranges::all_of(port, is_digit)) return false;
  if (host.front() == '[') {
    const auto is_ip6 = [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; };
    return host.size() > 3 && host.back() == ']' &&
           std::ranges::all_of(host.substr(1, host.size() - 2), is_ip6);
  }
  const auto is_name = [](char c) {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '-' || c == '.' || c == '_';
  };
  return std::ranges::all_of(host, is_name);
}

std::pair<std::size_t, std::optional<Refusal>> find_head(std::string_view bytes, const FramingLimits& limits,
                                                         std::size_t& searched) {
  std::size_t at = searched;
  while (true) {
    const std::size_t feed = bytes.find('\n', at);
    if (feed == std::string_view::npos) break;
    if (feed == 0 || bytes[feed - 1] != '\r') return {0, bad_header("A line ends in a bare LF.")};
    if (feed >= 3 && bytes[feed - 2] == '\n') {
      if (feed + 1 > limits.head_bytes_max)
        return {0, headers_too_large("The headers are larger than 32 KiB.")};
      return {feed + 1, std::nullopt};
    }
    at = feed + 1;
  }
  searched = bytes.size();
  constexpr std::size_t kAroundTarget = 32;  // the longest method, two spaces, the version
  if (bytes.size() > limits.target_bytes_max + kAroundTarget && bytes.find('\n') == std::string_view::npos)
    return {0, uri_too_long()};
  if (bytes.size() >= limits.head_bytes_max)
    return {0, headers_too_large("The headers are larger than 32 KiB.")};
  return {0, std::nullopt};
}

std::optional<Refusal> parse_head(std::string_view bytes, const FramingLimits& limits, HeadView& head) {
  head.content_length.reset();
  head.host = {};
  head.chunked = head.expects_continue = head.wants_upgrade = false;
  head.field_count = 0;
  const std::size_t end = bytes.find("\r\n");
  if (end == std::string_view::npos) return bad_header("The head does not end in an empty line.");
  if (Refused refused = parse_request_line(bytes.substr(0, end), limits, head)) return refused;
  Framing framing;
  if (Refused refused = parse_fields(bytes.substr(end + 2), limits, head, framing)) return refused;
  if (Refused refused = check_transfer_encoding(framing, head)) return refused;
  if (Refused refused = check_content_length(framing, head)) return refused;
  if (Refused refused = check_host(framing, limits, head)) return refused;
  if (Refused refused = check_target(head)) return refused;
  if (Refused refused = check_expect(framing, head)) return refused;
  head.keep_alive = !framing.close && (head.version_minor == 1 || framing.keep);
  return std::nullopt;
}

}  // namespace ekiden::http
