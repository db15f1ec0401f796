#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "services/workout/activity/activity.hpp"
#include "services/workout/activity/xml/chars.hpp"
#include "services/workout/activity/xml/record.hpp"

namespace ekiden::activity::xml {

/// An attribute as it stands: the value is checked, its references are not replaced (`unescape`).
struct Attribute {
  std::string_view name;
  std::string_view value;
};

/// The name of an element: with its prefix, and without.
struct Name {
  std::string_view qualified;
  std::string_view local;
};

/// Scans windows of a document, which are UTF-8 checked before, and tells a handler what is in them. It holds
/// no text but the names of the open elements, does no I/O and allocates only for an error.
///
/// `Handler` has `bool open(const Name&, std::span<const Attribute>)`, `bool close()`, `bool
/// text(string_view)` (in as many pieces as it comes, references replaced), `void detach()` (views handed out
/// die after it) and `Error take_error()`, which is asked for after a `false`. For records, elements of which
/// a file has many that look alike, it has `bool at_record()` (the element just opened is one; they do not
/// nest), `uint8_t place()` (what the open element's text is), `uint8_t attribute_place(string_view)`, and
/// `bool record(slots, values)`, which does all that `open`, `text` and `close` would have done for a record
/// with these values, or does nothing and returns `false`.
/// @threads one at a time   @source XML 1.0 (fifth edition), without DTDs
template <class Handler>
class Scanner {
 public:
  Scanner(Handler& handler, const ParseLimits& limits)
      : handler_(handler),
        token_max_(limits.token_max),
        depth_max_(std::min(limits.depth_max, kDepthMax)),
        attributes_max_(std::min(limits.attributes_max, kAttributesMax)),
        namespaces_max_(limits.namespaces_max) {}

  /// Scans the whole tokens at the front of [`begin`, `end`) and returns where the first that is cut begins.
  /// nullptr where the document is wrong: `fault` tells why and `fault_at` where.
  /// @param last  nothing follows the window.
  const char* scan(const char* begin, const char* end, bool last) {
    const char* at = begin;
    cut_ = false;
    record_.stop_learning();
    while (at != end) {
      if (record_.is_known() && depth_ == record_depth_ && *at == '<') {
        at = replay(at, end);
        if (at == end) break;
      }
      const char* const next = *at == '<' ? markup(at, end) : text(at, end, last);
      if (next == nullptr) {
        if (!cut_) return nullptr;
        if (static_cast<std::size_t>(end - at) > token_max_) return too_large(at);
        break;
      }
      if (static_cast<std::size_t>(next - at) > token_max_) return too_large(at);
      at = next;
      at_start_ = false;
    }
    if (last && at != end && depth_ != 0 && *at != '<') return unfinished(end);
    if (last && at != end) return fail(end, "the file ends in the middle of a tag or text");
    if (last && (depth_ != 0 || !root_seen_)) return unfinished(end);
    handler_.detach();
    return at;
  }

  /// What is wrong, once `scan` returned nullptr.
  Error fault(std::size_t line, std::size_t offset) {
    if (!error_) return syntax_error(line, offset, reason_);
    return Error{error_->code(), error_->slug(), "line " + std::to_string(line) + ": " + error_->text(),
                 error_->field()};
  }
  const char* fault_at() const { return fault_at_; }

 private:
  static constexpr std::ptrdiff_t kSpaceMax = 256;                   // between records
  static constexpr std::size_t kRecordMax = std::size_t{16} * 1024;  // no record that is learned is longer
  static constexpr std::size_t kDepthMax = 64;
  static constexpr std::size_t kAttributesMax = 64;
  static constexpr std::size_t kNameMax = 256;

  struct Open {
    std::array<char, kNameMax> name;
    std::uint16_t size;
    std::uint16_t namespaces;
  };

  const char* cut() {
    cut_ = true;
    return nullptr;
  }
  const char* fail(const char* at, std::string_view reason) {
    cut_ = false;
    fault_at_ = at;
    reason_ = reason;
    return nullptr;
  }
  const char* fail(const char* at, Error error) {
    error_ = std::move(error);
    return fail(at, std::string_view{});
  }
  const char* refused(const char* at) { return fail(at, handler_.take_error()); }
  const char* too_large(const char* at) {
    return fail(
        at, Error{Errc::too_large, "xml-token-too-large",
                  "a tag, text or comment is longer than " + std::to_string(token_max_) + " bytes", "file"});
  }
  const char* limit(const char* at, std::string slug, const char* what, std::size_t most) {
    return fail(at, Error{Errc::invalid, std::move(slug),
                          std::string{what} + ": at most " + std::to_string(most) + " are read", "file"});
  }
  const char* unfinished(const char* at) {
    if (depth_ == 0) return fail(at, "the file has no element");
    const Open& open = open_[depth_ - 1];
    return fail(at, syntax("the file ends before </" + std::string{open.name.data(), open.size} + ">"));
  }
  static Error syntax(std::string text) {
    return Error{Errc::invalid, "xml-not-well-formed", std::move(text), "file"};
  }

  /// Takes all records from `at` on that are like the last one; returns where the first that is not begins.
  const char* replay(const char* at, const char* end) {
    Record::Values values;
    for (;;) {
      const char* next = record_.match(at, end, values);
      // What the handler refuses is scanned again, which tells where it is.
      if (next == nullptr || !handler_.record(record_.slots(), values)) return at;
      at = next;
      while (next != end && next - at < kSpaceMax && is_space(*next)) ++next;
      if (next == end || *next != '<') return at;
      at = next;
    }
  }

  void begin_record(const char* at) {
    record_depth_ = depth_;
    if (token_max_ < kRecordMax) return;
    record_.begin(at);
    for (const Attribute& attribute : std::span{attributes_}.first(count_)) {
      const char quote = *(attribute.value.data() + attribute.value.size());
      if (record_.is_learning())
        record_.add(attribute.value, handler_.attribute_place(attribute.name), quote);
    }
  }

  void learn_text(const char* at, const char* stop, const char* end) {
    const char* first = at;
    while (first != stop && is_space(*first)) ++first;
    if (first == stop) return;
    // Only a text that is all of its element.
    if (stop + 1 == end || stop[1] != '/') return record_.forget();
    record_.add({at, stop}, handler_.place(), '<');
  }

  const char* text(const char* at, const char* end, bool last) {
    const char* stop = find_delimiter(at, end, ']');
    if (depth_ == 0) return space(at, end, last);
    if (stop != end && *stop == '<') [[likely]] {
      if (record_.is_learning()) learn_text(at, stop, end);
      return handler_.text({at, stop}) ? stop : refused(at);
    }
    return text_slowly(at, stop, end);
  }

  /// Outside the root there is white space only.
  const char* space(const char* at, const char* end, bool last) {
    const char* stop = at;
    while (stop != end && is_space(*stop)) ++stop;
    if (stop == end) return last ? end : cut();
    return *stop == '<' ? stop : fail(stop, "text stands outside the root element");
  }

  /// Text with references or with `]`; nothing is told before its end is in sight.
  const char* text_slowly(const char* at, const char* stop, const char* end) {
    if (stop == end) return cut();
    record_.stop_learning();
    const auto* const tag =
        static_cast<const char*>(std::memchr(stop, '<', static_cast<std::size_t>(end - stop)));
    if (tag == nullptr) return cut();
    while (at != tag) {
      if (*stop == ']') {
        if (tag - stop > 2 && stop[1] == ']' && stop[2] == '>') return fail(stop, "']]>' stands in a text");
        stop = find_delimiter(stop + 1, end, ']');
        if (*stop == ']') continue;
      }
      if (stop != at && !handler_.text({at, stop})) return refused(at);
      at = stop;
      if (*stop != '&') continue;
      const Reference reference = scan_reference({stop, tag});
      if (reference.size == 0) return fail(stop, "'&' begins no reference that is known here");
      std::array<char, 4> buffer;
      if (!handler_.text({buffer.data(), encode_utf8(reference.character, buffer)})) return refused(at);
      handler_.detach();
      at += reference.size;
      stop = find_delimiter(at, end, ']');
    }
    return tag;
  }

  const char* markup(const char* at, const char* end) {
    if (end - at < 2) return cut();
    switch (at[1]) {
      case '/':
        return close_tag(at, end);
      case '!':
        return declaration(at, end);
      case '?':
        return instruction(at, end);
      default:
        return open_tag(at, end);
    }
  }

  const char* close_tag(const char* at, const char* end) {
    if (depth_ == 0) return fail(at, "an end tag closes nothing");
    const Open& open = open_[depth_ - 1];
    const char* const name = at + 2;
    const auto room = static_cast<std::size_t>(end - name);
    if (room <= open.size) {
      // Enough to see that it is the wrong one, or too little to see anything.
      return std::memchr(name, '>', room) == nullptr ? cut() : wrong_end(at, open);
    }
    if (!same_bytes(name, open.name.data(), open.size, room)) return wrong_end(at, open);
    const char* next = name + open.size;
    while (next != end && *next != '>') {
      if (!is_space(*next)) return wrong_end(at, open);
      ++next;
    }
    if (next == end) return cut();
    --depth_;
    namespaces_ -= open.namespaces;
    return closed(at, next + 1);
  }

  /// The element that ends before `next` is told, and learned where it is a record.
  const char* closed(const char* at, const char* next) {
    if (!handler_.close()) return refused(at);
    if (depth_ == record_depth_ && record_.is_learning()) record_.finish(next);
    if (depth_ < record_depth_) record_.forget();
    return next;
  }

  const char* wrong_end(const char* at, const Open& open) {
    return fail(at, syntax("an end tag is not </" + std::string{open.name.data(), open.size} + ">"));
  }

  const char* open_tag(const char* at, const char* end) {
    const NameSpan name = scan_name(at + 1, end);
    const char* next = at + 1 + name.size;
    if (next == end) return cut();
    if (name.size == 0) return name_fault(at + 1, end, "'<' begins no tag");
    count_ = 0;
    std::size_t declared = 0;
    if (*next != '>') {
      next = attributes(next, end, declared);
      if (next == nullptr) return nullptr;
    }
    const bool empty = *next == '/';
    if (empty) ++next;
    if (depth_ == 0 && root_seen_) return fail(at, "there is a second root element");
    if (depth_ == depth_max_) return limit(at, "xml-too-deep", "elements are nested too deep", depth_max_);
    if (name.size > kNameMax) return too_large(at);
    root_seen_ = true;
    const Name names{{at + 1, name.size}, {at + 1 + name.local, name.size - name.local}};
    if (!handler_.open(names, std::span{attributes_}.first(count_))) return refused(at);
    if (handler_.at_record()) begin_record(at);
    if (empty) return closed(at, next + 1);
    push(at + 1, name.size, static_cast<std::size_t>(end - at - 1), declared);
    return next + 1;
  }

  void push(const char* name, std::size_t size, std::size_t room, std::size_t declared) {
    Open& open = open_[depth_++];
    if (size <= 32 && room >= 32) {
      std::memcpy(open.name.data(), name, 32);
    } else {
      std::memcpy(open.name.data(), name, size);
    }
    open.size = static_cast<std::uint16_t>(size);
    open.namespaces = static_cast<std::uint16_t>(declared);
    namespaces_ += declared;
  }

  /// A name that does not begin, or that is cut in the middle of a character.
  const char* name_fault(const char* at, const char* end, const char* reason) {
    const bool maybe_cut = end - at < 4 && static_cast<signed char>(*at) < 0;
    return maybe_cut ? cut() : fail(at, reason);
  }

  /// From behind the element's name to its `>` or `/>`.
  const char* attributes(const char* at, const char* end, std::size_t& declared) {
    for (;;) {
      const char* const before = at;
      while (at != end && is_space(*at)) ++at;
      if (at == end) return cut();
      if (*at == '>') return at;
      if (*at == '/') {
        if (at + 1 == end) return cut();
        return at[1] == '>' ? at : fail(at, "'/' is not followed by '>'");
      }
      if (at == before) return name_fault(at, end, "a tag is malformed");
      at = attribute(at, end, declared);
      if (at == nullptr) return nullptr;
    }
  }

  const char* attribute(const char* at, const char* end, std::size_t& declared) {
    const NameSpan name = scan_name(at, end);
    const char* next = at + name.size;
    if (next == end) return cut();
    if (name.size == 0) return name_fault(at, end, "an attribute has no name");
    while (next != end && is_space(*next)) ++next;
    if (next == end) return cut();
    if (*next != '=') return name_fault(next, end, "an attribute has no value");
    ++next;
    while (next != end && is_space(*next)) ++next;
    if (next == end) return cut();
    const char quote = *next;
    if (quote != '"' && quote != '\'') return fail(next, "an attribute's value is not quoted");
    const std::string_view label{at, name.size};
    if (label.starts_with("xmlns") && (name.size == 5 || label[5] == ':') &&
        namespaces_ + ++declared > namespaces_max_) {
      return limit(at, "xml-too-many-namespaces", "too many namespaces are declared", namespaces_max_);
    }
    if (count_ == attributes_max_) {
      return limit(at, "xml-too-many-attributes", "an element has too many attributes", attributes_max_);
    }
    for (std::size_t i = 0; i < count_; ++i) {
      if (attributes_[i].name == label) return fail(at, "an attribute stands twice in one tag");
    }
    const char* const close = value_end(next + 1, end, quote);
    if (close == nullptr) return nullptr;
    attributes_[count_++] = {label, {next + 1, close}};
    return close + 1;
  }

  const char* value_end(const char* at, const char* end, char quote) {
    for (;;) {
      at = find_delimiter(at, end, quote);
      if (at == end) return cut();
      if (*at == quote) return at;
      if (*at == '<') return fail(at, "'<' stands in an attribute");
      const Reference reference = scan_reference({at, end});
      if (reference.size == 0) {
        return end - at < 16 ? cut() : fail(at, "'&' begins no reference that is known here");
      }
      at += reference.size;
    }
  }

  /// Comments, character data, and DTDs, which are refused as soon as they are seen.
  const char* declaration(const char* at, const char* end) {
    record_.stop_learning();
    const std::string_view rest{at, end};
    constexpr std::string_view kData = "<![CDATA[";
    constexpr std::string_view kDtd = "<!DOCTYPE";
    if (rest.starts_with("<!--")) return comment(at, end);
    if (rest.starts_with(kData)) return character_data(at, end);
    if (rest.size() >= 3 && (kDtd.starts_with(rest.substr(0, 9)) || rest[2] == 'E' || rest[2] == 'A')) {
      return fail(at,
                  Error{Errc::invalid, "xml-doctype-forbidden",
                        "the file has a document type declaration (<!DOCTYPE>), which is not read; remove it",
                        "file"});
    }
    if (std::string_view{"<!--"}.starts_with(rest) || kData.starts_with(rest)) return cut();
    return fail(at, "'<!' begins nothing that is known here");
  }

  const char* comment(const char* at, const char* end) {
    const std::string_view rest{at, end};
    const std::size_t dashes = rest.find("--", 4);
    if (dashes == std::string_view::npos || dashes + 2 == rest.size()) return cut();
    if (rest[dashes + 2] != '>') return fail(at + dashes, "'--' stands in a comment");
    return at + dashes + 3;
  }

  const char* character_data(const char* at, const char* end) {
    if (depth_ == 0) return fail(at, "character data stands outside the root element");
    const std::string_view rest{at, end};
    const std::size_t stop = rest.find("]]>", 9);
    if (stop == std::string_view::npos) return cut();
    return handler_.text(rest.substr(9, stop - 9)) ? at + stop + 3 : refused(at);
  }

  const char* instruction(const char* at, const char* end) {
    record_.stop_learning();
    const std::string_view rest{at, end};
    const std::size_t stop = rest.find("?>", 2);
    if (stop == std::string_view::npos) return cut();
    const NameSpan target = scan_name_slowly(at + 2, at + stop);
    if (target.size == 0) return fail(at, "'<?' begins no instruction");
    const std::string_view name = rest.substr(2, target.size);
    const std::string_view data = rest.substr(2 + target.size, stop - 2 - target.size);
    const auto is = [&](std::size_t i, char c) { return (name[i] | 0x20) == c; };
    if (name.size() == 3 && is(0, 'x') && is(1, 'm') && is(2, 'l')) {
      if (!at_start_ || name != "xml") return fail(at, "the XML declaration is not at the start");
      if (const char* reason = declaration_fault(data)) return fail(at, reason);
    } else if (!data.empty() && !is_space(data[0])) {
      return fail(at, "an instruction's target is malformed");
    }
    return at + stop + 2;
  }

  Handler& handler_;
  const std::size_t token_max_;
  const std::size_t depth_max_;
  const std::size_t attributes_max_;
  const std::size_t namespaces_max_;

  bool cut_ = false;
  bool root_seen_ = false;
  bool at_start_ = true;  // nothing has been scanned yet
  std::size_t depth_ = 0;
  std::size_t namespaces_ = 0;  // declared by the open elements
  Record record_;
  std::size_t record_depth_ = 0;  // elements open around a record
  std::size_t count_ = 0;
  std::array<Attribute, kAttributesMax> attributes_;
  std::array<Open, kDepthMax> open_;
  const char* fault_at_ = nullptr;
  std::string_view reason_;
  std::optional<Error> error_;
};

}  // namespace ekiden::activity::xml
