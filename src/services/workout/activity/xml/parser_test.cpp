// What is well-formed is scanned, all else is refused with its line, whatever the pieces it comes in; hostile
// documents cost no more than their limits.

#include "services/workout/activity/xml/parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ekiden::activity::xml {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Writes down what it is told.
class Recorder {
 public:
  bool open(const Name& name, std::span<const Attribute> attributes) {
    flush();
    log_ += "<" + std::string{name.local};
    for (const Attribute& attribute : attributes) {
      std::array<char, 256> buffer;
      log_ += " " + std::string{attribute.name} + "=" + std::string{unescape(attribute.value, buffer)};
    }
    log_ += ">";
    return true;
  }
  bool close() {
    flush();
    log_ += "</>";
    return true;
  }
  bool text(std::string_view piece) {
    text_ += piece;
    return true;
  }
  void detach() {}
  bool at_record() const { return false; }
  std::uint8_t place() const { return 0; }
  std::uint8_t attribute_place(std::string_view) const { return 0; }
  bool record(std::span<const Slot>, const Record::Values&) { return false; }
  Error take_error() { return {Errc::internal, "none", "none"}; }
  const std::string& log() const { return log_; }

 private:
  void flush() {
    log_ += text_;
    text_.clear();
  }
  std::string log_;
  std::string text_;
};

Result<std::string> scan(std::string_view document, std::size_t piece = static_cast<std::size_t>(-1)) {
  Recorder recorder;
  Parser<Recorder> parser{recorder, ParseLimits{}};
  while (!document.empty()) {
    EKIDEN_CHECK(parser.feed(document.substr(0, piece)));
    document.remove_prefix(std::min(piece, document.size()));
  }
  EKIDEN_CHECK(parser.finish());
  return recorder.log();
}

std::string slug(const Result<std::string>& result) {
  return result ? "" : result.error().slug();
}

std::string utf16(std::string_view ascii, bool little) {
  std::string out = little ? "\xFF\xFE" : "\xFE\xFF";
  for (const char c : ascii) {
    if (!little) out += '\0';
    out += c;
    if (little) out += '\0';
  }
  return out;
}

TEST(XmlParser, TellsElementsAttributesAndText) {
  EXPECT_EQ(scan("<?xml version='1.0'?>\n<!-- c --><a:r x = \"1\" "
                 "y='&lt;&#65;&#x42;'>t&amp;<b/>]]<![CDATA[<&]]></a:r >\n"
                 "<?pi data?>"),
            "<r x=1 y=<AB>t&<b></>]]<&</>");
}

TEST(XmlParser, PiecesOfAnySizeGiveTheSame) {
  const std::string document =
      "\xEF\xBB\xBF<?xml version=\"1.0\" encoding='utf-8' standalone=\"yes\"?><g:\xC3\xA9l\xE4\xB8\xAD "
      "a=\"&quot;\xF0\x9F\x9A\xB4\">"
      "text &lt;more&gt; \xE2\x82\xAC<!-- - --><x><![CDATA[a]]b]]></x><y  />\r\n</g:\xC3\xA9l\xE4\xB8\xAD>\n";
  const auto whole = scan(document);
  ASSERT_TRUE(whole.has_value()) << whole.error().text();
  for (std::size_t piece = 1; piece < 40; ++piece) EXPECT_EQ(scan(document, piece), *whole) << piece;
}

TEST(XmlParser, PiecesOfAnySizeFailAlike) {
  const std::string document = "<a>\n<b>\n\n<c x='1' x='2'/></b></a>";
  const auto whole = scan(document);
  ASSERT_FALSE(whole.has_value());
  EXPECT_THAT(whole.error().text(), StartsWith("line 4 (byte 18): an attribute stands twice"));
  for (std::size_t piece = 1; piece < 40; ++piece) {
    const auto pieces = scan(document, piece);
    ASSERT_FALSE(pieces.has_value()) << piece;
    EXPECT_EQ(pieces.error(), whole.error()) << piece;
  }
}

TEST(XmlParser, RefusesWhatIsNotWellFormed) {
  const char* const documents[] = {"",
                                   "  ",
                                   "text",
                                   "<a>",
                                   "<a></b>",
                                   "<a></a",
                                   "<a></ab>",
                                   "<ab></a>",
                                   "</a>",
                                   "<a/><b/>",
                                   "<a/>text",
                                   "<a/>&amp;",
                                   "<a b></a>",
                                   "<a b=1/>",
                                   "<a b='1'c='2'/>",
                                   "<a b='1' b='2'/>",
                                   "<a b='<'/>",
                                   "<a b='&'/>",
                                   "<a b='&nbsp;'/>",
                                   "<a b='1/>",
                                   "<a b=\"1'/>",
                                   "<1a/>",
                                   "<-a/>",
                                   "< a/>",
                                   "<a><</a>",
                                   "<a>&</a>",
                                   "<a>& </a>",
                                   "<a>&unknown;</a>",
                                   "<a>&#0;</a>",
                                   "<a>&#xD800;</a>",
                                   "<a>&#x110000;</a>",
                                   "<a>&#xFFFFFFFFFF;</a>",
                                   "<a>&#;</a>",
                                   "<a>&#x;</a>",
                                   "<a>]]></a>",
                                   "<a><!-- -- --></a>",
                                   "<a><!-- --->",
                                   "<a><![CDATA[</a>",
                                   "<![CDATA[x]]><a/>",
                                   "<a><?xml version='1.0'?></a>",
                                   " <?xml version='1.0'?><a/>",
                                   "<?XML version='1.0'?><a/>",
                                   "<?xml?><a/>",
                                   "<?xml version='2.0'?><a/>",
                                   "<?xml version='1.0' standalone='maybe'?><a/>",
                                   "<?xml version='1.0' standalone='yes' encoding='utf-8'?><a/>",
                                   "<a><? x?></a>",
                                   "<a/ >",
                                   "<a / >",
                                   "<a\x01/>",
                                   "<a>\x01</a>",
                                   "<a>\x7F\xC0\x80</a>",
                                   "<a>\xED\xA0\x80</a>",
                                   "<a>\xEF\xBF\xBF</a>",
                                   "<a>\xC3</a>",
                                   "<a>\xC3",
                                   "<a\xC3\x97/>",
                                   "+ADw-gpx+AD4-",
                                   "<a><!ELEMENT",
                                   "<a><!x></a>"};
  for (const char* const document : documents) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
      const auto result = scan(document, piece);
      ASSERT_FALSE(result.has_value()) << document;
      EXPECT_EQ(result.error().code(), Errc::invalid) << document;
      EXPECT_THAT(result.error().text(), StartsWith("line 1")) << document;
    }
  }
}

TEST(XmlParser, ReadsTheEncodingsItSaysItDoes) {
  EXPECT_EQ(scan(utf16("<?xml version='1.0' encoding='UTF-16'?><a>x</a>", true)), "<a>x</>");
  EXPECT_EQ(scan(utf16("<?xml version='1.0' encoding='UTF-16'?><a>x</a>", false)), "<a>x</>");
  EXPECT_EQ(scan(utf16("<a>x</a>", true), 1), "<a>x</>");
  EXPECT_EQ(scan("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>"), "<a>\xC3\xA9</>");
  EXPECT_EQ(scan("<?xml version='1.0' encoding='US-ASCII'?><a>x</a>"), "<a>x</>");
  using namespace std::string_literals;
  EXPECT_EQ(scan("\xFF\xFE<\0a\0>\0=\xD8\xB4\xDE<\0/\0a\0>\0"s), "<a>\xF0\x9F\x9A\xB4</>");
}

TEST(XmlParser, RefusesOtherAndLyingEncodings) {
  using namespace std::string_literals;
  const std::string documents[] = {
      "<?xml version='1.0' encoding='UTF-7'?><a/>",
      "<?xml version='1.0' encoding='windows-1252'?><a/>",
      "<?xml version='1.0' encoding='UTF-16'?><a/>",
      "<?xml version='1.0' encoding='EBCDIC-CP-US'?><a/>",
      "\xEF\xBB\xBF<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
      utf16("<?xml version='1.0' encoding='UTF-8'?><a/>", true),
      utf16("<?xml version='1.0' encoding='UTF-16BE'?><a/>", true),
      "<\0a\0/\0>\0"s,
      "\0<\0a\0/\0>"s,
      "\xFF\xFE\0\0<\0\0\0"s,
      "\x4C\x6F\xA7\x94\x93"s,
  };
  for (const std::string& document : documents) {
    const auto result = scan(document);
    ASSERT_FALSE(result.has_value()) << document;
    EXPECT_EQ(result.error().code(), Errc::unsupported) << document;
    EXPECT_EQ(result.error().slug(), "unsupported-encoding") << document;
  }
  EXPECT_EQ(slug(scan("<?xml version='1.0' encoding='US-ASCII'?><a>\xC3\xA9</a>")), "xml-not-well-formed");
  EXPECT_EQ(slug(scan("<?xml version='1.0' encoding='utf-8'?><a>\xE9</a>")), "xml-not-well-formed");
  // Half a surrogate pair, at the end and in the middle.
  EXPECT_EQ(slug(scan("\xFF\xFE<\0a\0>\0\x34\xD8<\0/\0a\0>\0"s)), "xml-not-well-formed");
  EXPECT_EQ(slug(scan("\xFF\xFE<\0a\0/\0>\0\x34\xD8"s)), "xml-not-well-formed");
}

TEST(XmlParser, RefusesADocumentTypeAtOnce) {
  const std::string laughs =
      "<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><gpx>&b;</gpx>";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
    EXPECT_EQ(slug(scan(laughs, piece)), "xml-doctype-forbidden");
  }
  EXPECT_EQ(slug(scan("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>")), "xml-doctype-forbidden");
  EXPECT_EQ(slug(scan("<a/><!DOCTYPE a>")), "xml-doctype-forbidden");
}

TEST(XmlParser, StopsAtItsLimits) {
  std::string deep;
  for (int i = 0; i < 1'000'000; ++i) deep += "<a>";
  EXPECT_EQ(slug(scan(deep)), "xml-too-deep");

  std::string attributes = "<a";
  for (int i = 0; i < 1'000'000; ++i) attributes += " a" + std::to_string(i) + "=''";
  EXPECT_EQ(slug(scan(attributes + "/>")), "xml-too-many-attributes");

  std::string namespaces = "<a";
  for (int i = 0; i < 100'000; ++i) namespaces += " xmlns:n" + std::to_string(i) + "='u'";
  EXPECT_EQ(slug(scan(namespaces + "/>")), "xml-too-many-namespaces");

  std::string nested = "<a>";
  for (int i = 0; i < 17; ++i) nested += "<b xmlns:n='u'>";
  EXPECT_EQ(slug(scan(nested)), "xml-too-many-namespaces");
  std::string repeated = "<a>";
  for (int i = 0; i < 1000; ++i) repeated += "<b xmlns='u'/><c xmlns:n='u'></c>";
  EXPECT_EQ(slug(scan(repeated + "</a>")), "");
}

TEST(XmlParser, RefusesTokensBeyondTheCap) {
  const std::string filler(std::size_t{64} << 20, 'x');
  for (const auto& [before, after] :
       std::vector<std::pair<std::string, std::string>>{{"<a b='", "'/>"},
                                                        {"<a>", "</a>"},
                                                        {"<a><!--", "--></a>"},
                                                        {"<a><?p ", "?></a>"},
                                                        {"<a><![CDATA[", "]]></a>"},
                                                        {"<", "/>"},
                                                        {"<a></", ">"}}) {
    const auto result = scan(before + filler + after, 10'000);
    ASSERT_FALSE(result.has_value()) << before;
    if (before == "<a></") continue;  // it is wrong long before it is long
    EXPECT_EQ(result.error().code(), Errc::too_large) << before;
    EXPECT_EQ(result.error().slug(), "xml-token-too-large") << before;
  }
  const std::string most(64 * 1024, 'x');
  EXPECT_EQ(slug(scan("<a>" + most + "</a>")), "");
  EXPECT_EQ(slug(scan("<a>" + most + "x</a>")), "xml-token-too-large");
  EXPECT_EQ(slug(scan("<a>" + most + "x</a>", 7)), "xml-token-too-large");
}

TEST(XmlParser, NamesTheLineOfAFault) {
  const auto result = scan("<a>\n\n<b>\n</c>\n</a>");
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().text(), HasSubstr("line 4"));
  EXPECT_THAT(result.error().text(), HasSubstr("</b>"));
}

}  // namespace
}  // namespace ekiden::activity::xml
