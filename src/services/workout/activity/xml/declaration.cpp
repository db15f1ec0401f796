#include <array>
#include <string>

#include "services/workout/activity/xml/chars.hpp"

namespace ekiden::activity::xml {
namespace {

void skip_space(std::string_view& text) {
  while (!text.empty() && is_space(text[0])) text.remove_prefix(1);
}

bool is_version(std::string_view value) {
  return value.size() >= 3 && value.substr(0, 2) == "1." &&
         value.find_first_not_of("0123456789", 2) == std::string_view::npos;
}

bool is_encoding_name(std::string_view value) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (value.empty() || !letter(value[0])) return false;
  for (const char c : value) {
    if (!letter(c) && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

/// ` name = "value"` taken from the front of `text`; an empty name where it does not stand there.
struct Pair {
  std::string_view name;
  std::string_view value;
};
Pair take_pair(std::string_view& text) {
  std::string_view rest = text;
  skip_space(rest);
  if (rest.size() == text.size()) return {};
  const std::size_t size = scan_name_slowly(rest.data(), rest.data() + rest.size()).size;
  Pair pair{rest.substr(0, size), {}};
  rest.remove_prefix(size);
  skip_space(rest);
  if (rest.empty() || rest[0] != '=') return {};
  rest.remove_prefix(1);
  skip_space(rest);
  if (rest.empty() || (rest[0] != '"' && rest[0] != '\'')) return {};
  const std::size_t end = rest.find(rest[0], 1);
  if (end == std::string_view::npos) return {};
  pair.value = rest.substr(1, end - 1);
  text = rest.substr(end + 1);
  return pair;
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

Error refused(std::string text) {
  return Error{Errc::unsupported, "unsupported-encoding", std::move(text) + "; save the file as UTF-8",
               "file"};
}

/// The encoding that the declaration at the start of `text` (bytes of ASCII) names; empty where it names
/// none.
std::string declared(std::string_view text) {
  if (!text.starts_with("<?xml") || text.size() < 6 || !is_space(text[5])) return {};
  text = text.substr(5, text.find("?>") - 5);
  for (Pair pair = take_pair(text); !pair.name.empty(); pair = take_pair(text)) {
    if (pair.name == "encoding") return lower(pair.value);
  }
  return {};
}

bool is_whole_declaration(std::string_view text) {
  constexpr std::string_view kStart = "<?xml";
  if (text.size() < kStart.size()) return !kStart.starts_with(text);
  return !text.starts_with(kStart) || text.find("?>") != std::string_view::npos;
}

SniffAnswer refuse(std::string text) {
  return {std::nullopt, refused(std::move(text))};
}
SniffAnswer found(Encoding encoding, std::size_t mark) {
  return {Sniffed{encoding, mark}, std::nullopt};
}

/// UTF-16: the declaration, if any, has to say so, too.
SniffAnswer sniff_utf16(std::string_view start, bool complete, bool little) {
  std::array<char, kSniffBytes * 2> buffer;
  const Encoding encoding = little ? Encoding::utf16_little : Encoding::utf16_big;
  Transcoder transcoder{encoding};
  std::string_view rest = start.substr(2);
  const std::string_view text = transcoder.step(rest, buffer);
  if (!complete && !is_whole_declaration(text)) return {};
  const std::string name = declared(text);
  const std::string_view other = little ? "utf-16le" : "utf-16be";
  if (!name.empty() && name != "utf-16" && name != other) {
    return refuse("the file is UTF-16 but says that it is another encoding");
  }
  return found(encoding, 2);
}

}  // namespace

const char* declaration_fault(std::string_view text) {
  Pair pair = take_pair(text);
  if (pair.name != "version" || !is_version(pair.value)) return "the XML declaration has no valid version";
  pair = take_pair(text);
  if (pair.name == "encoding") {
    if (!is_encoding_name(pair.value)) return "the XML declaration names no valid encoding";
    pair = take_pair(text);
  }
  if (pair.name == "standalone") {
    if (pair.value != "yes" && pair.value != "no") return "standalone is either 'yes' or 'no'";
    pair = take_pair(text);
  }
  skip_space(text);
  return pair.name.empty() && text.empty() ? nullptr : "the XML declaration is malformed";
}

SniffAnswer sniff(std::string_view start, bool complete) {
  using namespace std::string_view_literals;
  if (start.size() < 4 && !complete) return {};
  if (start.starts_with("\xFF\xFE\0\0"sv) || start.starts_with("\0\0\xFE\xFF"sv) ||
      start.starts_with("\0\0\0<"sv) || start.starts_with("<\0\0\0"sv)) {
    return refuse("UTF-32 is not read");
  }
  if (start.starts_with("\xFF\xFE"sv)) return sniff_utf16(start, complete, true);
  if (start.starts_with("\xFE\xFF"sv)) return sniff_utf16(start, complete, false);
  if (start.starts_with("<\0"sv) || start.starts_with("\0<"sv))
    return refuse("UTF-16 without a mark is not read");
  if (start.starts_with("\x4C\x6F\xA7\x94"sv)) return refuse("EBCDIC is not read");
  const bool marked = start.starts_with("\xEF\xBB\xBF"sv);
  const std::string_view text = start.substr(marked ? 3 : 0);
  if (!complete && !is_whole_declaration(text)) return {};
  if (!is_whole_declaration(text) && text.size() > kSniffBytes / 2)
    return refuse("the XML declaration is too long");
  const std::string name = declared(text);
  if (name.empty() || name == "utf-8" || name == "utf8") {
    return found(Encoding::utf8, marked ? 3 : 0);
  }
  if (!marked && (name == "us-ascii" || name == "ascii")) return found(Encoding::ascii, 0);
  if (!marked && (name == "iso-8859-1" || name == "latin1" || name == "iso_8859-1"))
    return found(Encoding::latin1, 0);
  return refuse("the encoding that the file names is not read, or is not the one it has");
}

}  // namespace ekiden::activity::xml
