#include "services/workout/activity/archive/detect.hpp"

#include <algorithm>
#include <string>

namespace ekiden::activity {
namespace {

constexpr std::size_t kLookMax = 1U << 20U;

bool is_fit(std::string_view bytes) {
  if (bytes.size() < 12) return false;
  if (bytes.substr(8, 4) == ".FIT") return true;
  // Only the mark is damaged: the sizes still say FIT, so that the uploader hears what is wrong.
  const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(bytes[i])}; };
  const std::size_t header = byte(0);
  const std::size_t data = byte(4) | byte(5) << 8U | byte(6) << 16U | byte(7) << 24U;
  return (header == 12 || header == 14) && data > 0 && header + data + 2 == bytes.size();
}

/// The ASCII part of UTF-16 text, other characters as '?'; `first` is where the low byte lies.
std::string narrow(std::string_view bytes, std::size_t low) {
  std::string out;
  out.reserve(bytes.size() / 2);
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const auto value = static_cast<unsigned char>(bytes[i + low]);
    out += bytes[i + 1 - low] == '\0' && value < 0x80 ? bytes[i + low] : '?';
  }
  return out;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Steps over `open…close`. @return false where it does not end.
bool skip(std::string_view& text, std::string_view open, std::string_view close) {
  const std::size_t end = text.find(close, open.size());
  if (end == std::string_view::npos) return false;
  text.remove_prefix(end + close.size());
  return true;
}

/// Steps over a DOCTYPE with its inner subset; quotes may hide brackets.
bool skip_doctype(std::string_view& text) {
  int depth = 0;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[') {
      ++depth;
    } else if (c == ']') {
      --depth;
    } else if (c == '>' && depth <= 0) {
      text.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

FileKind kind_of_root(std::string_view tag) {
  const auto ends_name = [](char c) { return is_space(c) || c == '>' || c == '/'; };
  std::string_view name(tag.begin(), std::ranges::find_if(tag, ends_name));
  const std::size_t colon = name.rfind(':');
  if (colon != std::string_view::npos) name.remove_prefix(colon + 1);
  if (name == "gpx") return FileKind::gpx;
  if (name == "TrainingCenterDatabase") return FileKind::tcx;
  return FileKind::unknown;
}

FileKind detect_xml(std::string_view text) {
  for (;;) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    if (!text.starts_with('<')) return FileKind::unknown;
    if (text.starts_with("<?")) {
      if (!skip(text, "<?", "?>")) return FileKind::unknown;
    } else if (text.starts_with("<!--")) {
      if (!skip(text, "<!--", "-->")) return FileKind::unknown;
    } else if (text.starts_with("<!")) {
      if (!skip_doctype(text)) return FileKind::unknown;
    } else {
      return kind_of_root(text.substr(1));
    }
  }
}

}  // namespace

std::string_view to_string(FileKind kind) {
  switch (kind) {
    case FileKind::unknown:
      return "unknown";
    case FileKind::gpx:
      return "gpx";
    case FileKind::tcx:
      return "tcx";
    case FileKind::fit:
      return "fit";
    case FileKind::gzip:
      return "gzip";
    case FileKind::zip:
      return "zip";
  }
  return "unknown";
}

bool is_archive(std::string_view bytes) {
  using std::string_view_literals::operator""sv;
  return bytes.starts_with("\x1f\x8b"sv) || bytes.starts_with("PK\x03\x04"sv) ||
         bytes.starts_with("PK\x05\x06"sv);
}

FileKind detect(std::string_view bytes) {
  using std::string_view_literals::operator""sv;
  if (is_archive(bytes)) return bytes.front() == 'P' ? FileKind::zip : FileKind::gzip;
  if (is_fit(bytes)) return FileKind::fit;
  const std::string_view head = bytes.substr(0, kLookMax);
  if (head.starts_with("\xff\xfe"sv)) return detect_xml(narrow(head.substr(2), 0));
  if (head.starts_with("\xfe\xff"sv)) return detect_xml(narrow(head.substr(2), 1));
  if (head.starts_with("<\0"sv)) return detect_xml(narrow(head, 0));
  if (head.starts_with("\0<"sv)) return detect_xml(narrow(head, 1));
  return detect_xml(head.starts_with("\xef\xbb\xbf"sv) ? head.substr(3) : head);
}

Result<FileKind> detect_or_refuse(std::string_view bytes) {
  const FileKind kind = detect(bytes);
  if (kind != FileKind::unknown) return kind;
  return Error{Errc::unsupported, "unsupported-file-type",
               "The file is none of GPX, TCX, FIT, gzip or zip, whatever its name says.", "file"};
}

}  // namespace ekiden::activity
