#include "http/multipart.hpp"

#include <gtest/gtest.h>

#include "base/testing/seeded_random.hpp"
#include "base/utf8.hpp"

namespace ekiden::http {
namespace {

class Recorder final : public MultipartSink {
 public:
  Result<void> on_begin(PartHead head) override {
    text += "<" + head.name + "|" + head.file_name.value_or("-") + "|" + head.content_type + ">";
    return {};
  }
  Result<void> on_data(std::string_view data) override {
    text += data;
    return {};
  }
  Result<void> on_end() override {
    text += "</>";
    return {};
  }
  std::string text;
};

constexpr std::string_view kType = "multipart/form-data; boundary=XX";

std::string parse(std::string_view body, std::size_t piece = SIZE_MAX, MultipartLimits limits = {}) {
  Result<MultipartParser> parser = MultipartParser::make(kType, limits);
  if (!parser) return parser.error().slug();
  Recorder recorder;
  while (!body.empty()) {
    const auto fed = parser->feed(body.substr(0, piece), recorder);
    if (!fed) return fed.error().slug();
    body.remove_prefix(std::min(piece, body.size()));
  }
  const auto finished = parser->finish();
  return finished ? recorder.text : finished.error().slug();
}

std::string part(std::string_view disposition, std::string_view content) {
  return "--XX\r\nContent-Disposition: form-data; " + std::string(disposition) + "\r\n\r\n" +
         std::string(content) + "\r\n";
}

TEST(Multipart, ReadsFieldsAndFiles) {
  const std::string body = part("name=\"a\"", "1") +
                           "--XX\r\ncontent-type: text/xml\r\nContent-Disposition: form-data; name=f; "
                           "filename=\"x.gpx\"\r\n\r\n<gpx/>\r\n--XX-\r\n--X\r\n" +
                           part("name=\"empty\"", "") + "--XX--\r\nepilogue";
  // The first delimiter look-alikes belong to the file.
  const std::string expected = "<a|-|>1</><f|x.gpx|text/xml><gpx/>";
  EXPECT_EQ(parse(body), "bad-multipart");
  const std::string good = part("name=\"a\"", "1") +
                           "--XX\r\ncontent-type: text/xml\r\nContent-Disposition: form-data; name=f; "
                           "filename=\"x.gpx\"\r\n\r\n<gpx/>\r\n--X\r\n--x\r\n" +
                           part("name=\"empty\"", "") + "--XX--\r\nepilogue";
  EXPECT_EQ(parse(good), expected + "\r\n--X\r\n--x</><empty|-|></>");
  EXPECT_EQ(parse("--XX--"), "");
}

TEST(Multipart, ReadsTheSameHoweverItIsCut) {
  const std::string body =
      part("name=\"a\"; filename=\"n\"", "\r\n\r--XX\r\n-\r\n--X") + part("name=b", "\r\n") + "--XX--";
  const std::string whole = parse(body);
  EXPECT_EQ(whole, "<a|n|>\r\n\r--XX\r\n-\r\n--X</><b|-|>\r\n</>");
  for (std::size_t piece = 1; piece < body.size(); ++piece) EXPECT_EQ(parse(body, piece), whole) << piece;
}

TEST(Multipart, RefusesWhatIsNoForm) {
  for (const char* bad : {"", "--XX", "--XX\r\n", "preamble\r\n--XX\r\n", "--XX\r\n\r\nx\r\n--XX--",
                          "--XX?\r\n", "--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n--XX--",
                          "--XX\r\nContent-Disposition: form-data\r\n\r\n\r\n--XX--",
                          "--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\r\n--XX--",
                          "--XX\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n\r\n--XX--",
                          "--XX\r\nContent-Disposition : form-data; name=a\r\n\r\n\r\n--XX--",
                          "--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: "
                          "base64\r\n\r\n\r\n--XX--"})
    EXPECT_EQ(parse(bad), "bad-multipart") << bad;
  EXPECT_EQ(parse(part("name=a", "x")), "bad-multipart");
}

TEST(Multipart, KeepsItsLimits) {
  MultipartLimits limits;
  limits.parts_max = 2;
  limits.files_max = 1;
  limits.field_bytes_max = 3;
  limits.fields_bytes_max = 5;
  limits.file_bytes_max = 4;
  const auto tried = [&limits](const std::string& parts) {
    return parse(parts + "--XX--", SIZE_MAX, limits);
  };
  EXPECT_EQ(tried(part("name=a", "123") + part("name=b", "12")), "<a|-|>123</><b|-|>12</>");
  EXPECT_EQ(tried(part("name=a", "1234")), "form-too-large");
  EXPECT_EQ(tried(part("name=a", "123") + part("name=b", "123")), "form-too-large");
  EXPECT_EQ(tried(part("name=a", "") + part("name=b", "") + part("name=c", "")), "form-too-large");
  EXPECT_EQ(tried(part("name=a; filename=x", "1234")), "<a|x|>1234</>");
  EXPECT_EQ(tried(part("name=a; filename=x", "12345")), "form-too-large");
  EXPECT_EQ(tried(part("name=a; filename=x", "") + part("name=a; filename=y", "")), "form-too-large");
  EXPECT_EQ(parse("--XX\r\nA: " + std::string(17 * 1024, 'x')), "bad-multipart");
}

TEST(Multipart, WantsABoundary) {
  const auto made = [](std::string_view type) { return MultipartParser::make(type).has_value(); };
  EXPECT_TRUE(made("Multipart/Form-Data; charset=utf-8; boundary=\"a b\""));
  EXPECT_TRUE(made("multipart/form-data; boundary=" + std::string(70, 'x')));
  for (const std::string& bad :
       {std::string("multipart/form-data"), std::string("multipart/mixed; boundary=x"),
        std::string("multipart/form-data; boundary="), std::string("multipart/form-data; boundary=\"x"),
        std::string("multipart/form-data; boundary=a; boundary=b"),
        "multipart/form-data; boundary=" + std::string(71, 'x'),
        std::string("multipart/form-data; boundary=\"a\r\nb\"")})
    EXPECT_FALSE(made(bad)) << bad;
}

TEST(FileName, IsForShowingOnly) {
  EXPECT_EQ(sanitize_file_name("run.gpx"), "run.gpx");
  EXPECT_EQ(sanitize_file_name("../../etc/passwd"), "passwd");
  EXPECT_EQ(sanitize_file_name("C:\\runs\\a.fit"), "a.fit");
  EXPECT_EQ(sanitize_file_name(std::string_view("a\0b\r\nc\x7f\xC2\x85", 9)), "abc");
  EXPECT_EQ(sanitize_file_name("\xff\xC3\xA4"), "\xC3\xA4");
  EXPECT_EQ(sanitize_file_name(""), "file");
  EXPECT_EQ(sanitize_file_name(".."), "file");
  EXPECT_EQ(sanitize_file_name("a/"), "file");
  std::string longest;
  for (int i = 0; i < 2048; ++i) longest += "\xC3\xA4";
  EXPECT_EQ(sanitize_file_name(longest).size(), 254U);
  EXPECT_TRUE(is_utf8(sanitize_file_name(longest)));
}

TEST(Multipart, SurvivesDamage) {
  constexpr std::uint64_t kSeed = 20261122;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  ekiden::testing::SeededRandom random{kSeed};
  const std::string body =
      part("name=\"a\"; filename=\"n\"", std::string(50, 'x')) + part("name=b", "y") + "--XX--";
  for (int i = 0; i < 5000; ++i) {
    std::string damaged = body;
    for (std::uint64_t hits = random.below(4) + 1; hits > 0; --hits)
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    EXPECT_EQ(parse(damaged), parse(damaged, 1 + random.below(20)));
  }
}

}  // namespace
}  // namespace ekiden::http
