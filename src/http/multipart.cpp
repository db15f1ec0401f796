#include "http/multipart.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "http/text.hpp"

namespace ekiden::http {
namespace {

Error bad_multipart(const char* why) {
  return Error{Errc::malformed, "bad-multipart", why};
}

Error form_too_large(const char* why, const std::string& field) {
  return Error{Errc::too_large, "form-too-large", why, field};
}

struct Parameter {
  std::string_view name;
  std::string value;
};

/// Takes a quoted string off `rest`, which begins behind the opening quote. A backslash escapes only a quote
/// or itself: some clients send Windows paths as they are.
std::optional<std::string> take_quoted(std::string_view& rest) {
  std::string value;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return value;
    }
    const bool is_escape =
        rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\');
    if (is_escape) ++i;
    value += rest[i];
  }
  return std::nullopt;
}

/// Takes `; name=value` off `rest`. nullopt where it does not begin with one.
std::optional<Parameter> take_parameter(std::string_view& rest) {
  rest = trim(rest);
  if (!rest.starts_with(';')) return std::nullopt;
  rest = trim(rest.substr(1));
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  Parameter parameter{trim(rest.substr(0, equals)), {}};
  rest = trim(rest.substr(equals + 1));
  if (!rest.starts_with('"')) {
    const std::size_t end = rest.find(';');
    parameter.value = std::string(trim(rest.substr(0, end)));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
    return parameter;
  }
  rest.remove_prefix(1);
  std::optional<std::string> quoted = take_quoted(rest);
  if (!quoted) return std::nullopt;
  parameter.value = *std::move(quoted);
  return parameter;
}

Result<void> read_disposition(std::string_view value, PartHead& head) {
  const std::size_t end = value.find(';');
  if (!equal_no_case(trim(value.substr(0, end)), "form-data"))
    return bad_multipart("A part's Content-Disposition is not form-data.");
  std::string_view rest = end == std::string_view::npos ? std::string_view{} : value.substr(end);
  bool has_name = false;
  while (!trim(rest).empty()) {
    std::optional<Parameter> parameter = take_parameter(rest);
    if (!parameter) return bad_multipart("A part's Content-Disposition cannot be read.");
    if (equal_no_case(parameter->name, "name")) {
      if (has_name) return bad_multipart("A part has two names.");
      has_name = true;
      head.name = std::move(parameter->value);
    } else if (equal_no_case(parameter->name, "filename")) {
      if (head.file_name) return bad_multipart("A part has two file names.");
      head.file_name = sanitize_file_name(parameter->value);
    }
  }
  constexpr std::size_t kNameBytesMax = 100;
  if (head.name.empty() || head.name.size() > kNameBytesMax || !is_utf8(head.name) ||
      std::ranges::any_of(head.name, is_control))
    return bad_multipart("A part's name must be 1 to 100 bytes of UTF-8.");
  return {};
}

Result<PartHead> parse_part_head(std::string_view block, std::size_t headers_max) {
  PartHead head;
  bool has_disposition = false;
  for (std::size_t count = 0; !block.empty(); ++count) {
    if (count == headers_max) return bad_multipart("A part has too many headers.");
    const std::size_t end = block.find("\r\n");
    const std::string_view line = block.substr(0, end);
    block = end == std::string_view::npos ? std::string_view{} : block.substr(end + 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 ||
        !std::ranges::all_of(line.substr(0, colon), is_token_char))
      return bad_multipart("A part's header has no name or no colon.");
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    if (equal_no_case(name, "content-disposition")) {
      if (has_disposition) return bad_multipart("A part has two Content-Dispositions.");
      has_disposition = true;
      EKIDEN_CHECK(read_disposition(value, head));
    } else if (equal_no_case(name, "content-type")) {
      constexpr std::size_t kTypeBytesMax = 255;
      if (value.size() > kTypeBytesMax || std::ranges::any_of(value, is_control))
        return bad_multipart("A part's Content-Type cannot be read.");
      head.content_type = std::string(value);
    } else if (equal_no_case(name, "content-transfer-encoding")) {
      if (!equal_no_case(value, "binary") && !equal_no_case(value, "8bit") && !equal_no_case(value, "7bit"))
        return bad_multipart("A part may not have a transfer encoding.");
    }
  }
  if (!has_disposition) return bad_multipart("A part has no Content-Disposition.");
  return head;
}

bool is_boundary_char(char c) {
  return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') ||
         (c != '\0' && std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos);
}

/// Length of the longest end of `text` that a `delimiter` could begin with.
std::size_t partial_match(std::string_view text, std::string_view delimiter) {
  const std::size_t most = std::min(text.size(), delimiter.size() - 1);
  for (std::size_t length = most; length > 0; --length) {
    if (text.ends_with(delimiter.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

std::string sanitize_file_name(std::string_view name) {
  constexpr std::size_t kBytesMax = 255;
  const std::size_t slash = name.find_last_of("/\\");
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  std::string clean;
  while (!name.empty()) {
    const std::size_t length = utf8_sequence_length(name);
    const std::string_view character = name.substr(0, std::max<std::size_t>(length, 1));
    name.remove_prefix(character.size());
    // C1 controls (U+0080 to U+009F) are two bytes that begin with C2.
    const bool is_c1 =
        length == 2 && character[0] == '\xC2' && static_cast<unsigned char>(character[1]) < 0xA0;
    if (length == 0 || is_c1 || (length == 1 && is_control(character[0]))) continue;
    if (clean.size() + length > kBytesMax) break;
    clean += character;
  }
  if (clean.find_first_not_of(". ") == std::string::npos) return "file";
  return clean;
}

MultipartParser::MultipartParser(const std::string& boundary, MultipartLimits limits)
    : delimiter_("\r\n--" + boundary), limits_(limits) {}

Result<MultipartParser> MultipartParser::make(std::string_view content_type, MultipartLimits limits) {
  const Error unsupported{Errc::unsupported, "unsupported-media-type",
                          "Send multipart/form-data with a boundary of 1 to 70 characters."};
  const std::size_t end = content_type.find(';');
  if (end == std::string_view::npos ||
      !equal_no_case(trim(content_type.substr(0, end)), "multipart/form-data"))
    return unsupported;
  std::string_view rest = content_type.substr(end);
  std::optional<std::string> boundary;
  while (!trim(rest).empty()) {
    std::optional<Parameter> parameter = take_parameter(rest);
    if (!parameter) return unsupported;
    if (!equal_no_case(parameter->name, "boundary")) continue;
    if (boundary) return unsupported;
    boundary = std::move(parameter->value);
  }
  constexpr std::size_t kBoundaryMax = 70;
  if (!boundary || boundary->empty() || boundary->size() > kBoundaryMax || boundary->back() == ' ' ||
      !std::ranges::all_of(*boundary, is_boundary_char))
    return unsupported;
  return MultipartParser{*boundary, limits};
}

Result<void> MultipartParser::feed(std::string_view input, MultipartSink& sink) {
  if (!started_) {
    // The first boundary has no line before it; with one put there it is a delimiter like the others.
    tail_ = "\r\n";
    started_ = true;
  }
  std::string joined;
  std::string_view rest = input;
  if (!tail_.empty()) {
    joined = std::move(tail_);
    joined += input;
    rest = joined;
  }
  bool more = true;
  while (more) {
    EKIDEN_TRY(more, step(rest, sink));
  }
  tail_ = std::string(rest);
  return {};
}

Result<void> MultipartParser::finish() const {
  if (state_ != State::epilogue) return bad_multipart("The form ends before its last boundary.");
  return {};
}

Result<bool> MultipartParser::step(std::string_view& rest, MultipartSink& sink) {
  switch (state_) {
    case State::boundary:
      return take_boundary_end(rest);
    case State::part_head:
      return take_part_head(rest, sink);
    case State::body:
      return take_body(rest, sink);
    case State::epilogue:
      rest = {};
      return false;
  }
  return false;
}

Result<bool> MultipartParser::take_boundary_end(std::string_view& rest) {
  if (rest.size() < 2) return false;
  if (rest.starts_with("--")) {
    state_ = State::epilogue;
  } else if (rest.starts_with("\r\n")) {
    state_ = State::part_head;
  } else {
    return bad_multipart("A boundary is followed by neither a line end nor two dashes.");
  }
  rest.remove_prefix(2);
  return true;
}

Result<bool> MultipartParser::take_part_head(std::string_view& rest, MultipartSink& sink) {
  const std::size_t end = rest.find("\r\n\r\n");
  // Up to three bytes of the end mark may be here already, however the input was cut.
  const std::size_t size =
      end == std::string_view::npos ? rest.size() - std::min<std::size_t>(rest.size(), 3) : end;
  if (size > limits_.part_head_bytes_max) return bad_multipart("A part's headers are too large.");
  if (end == std::string_view::npos) return false;
  EKIDEN_TRY(PartHead head, parse_part_head(rest.substr(0, end), limits_.part_headers_max));
  EKIDEN_CHECK(begin_part(std::move(head), sink));
  rest.remove_prefix(end + 4);
  state_ = State::body;
  return true;
}

Result<void> MultipartParser::begin_part(PartHead head, MultipartSink& sink) {
  part_name_ = head.name;
  part_is_file_ = head.file_name.has_value();
  part_bytes_ = 0;
  if (++parts_ > limits_.parts_max) return form_too_large("The form has too many parts.", part_name_);
  if (part_is_file_ && ++files_ > limits_.files_max)
    return form_too_large("The form has too many files.", part_name_);
  return sink.on_begin(std::move(head));
}

Result<void> MultipartParser::count_body(std::size_t size) {
  if (size > 0 && parts_ == 0) return bad_multipart("The form does not begin with its boundary.");
  part_bytes_ += static_cast<std::int64_t>(size);
  if (part_is_file_) {
    if (part_bytes_ > limits_.file_bytes_max) return form_too_large("The file is too large.", part_name_);
    return {};
  }
  fields_bytes_ += size;
  if (part_bytes_ > static_cast<std::int64_t>(limits_.field_bytes_max) ||
      fields_bytes_ > limits_.fields_bytes_max)
    return form_too_large("The field is too large.", part_name_);
  return {};
}

Result<bool> MultipartParser::take_body(std::string_view& rest, MultipartSink& sink) {
  const std::size_t at = rest.find(delimiter_);
  const bool found = at != std::string_view::npos;
  const std::string_view data =
      found ? rest.substr(0, at) : rest.substr(0, rest.size() - partial_match(rest, delimiter_));
  EKIDEN_CHECK(count_body(data.size()));
  if (!data.empty()) EKIDEN_CHECK(sink.on_data(data));
  rest.remove_prefix(data.size());
  if (!found) return false;
  rest.remove_prefix(delimiter_.size());
  if (parts_ > 0) EKIDEN_CHECK(sink.on_end());
  state_ = State::boundary;
  return true;
}

}  // namespace ekiden::http
