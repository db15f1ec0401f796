#include "base/text.hpp"

#include <gtest/gtest.h>

namespace ekiden {
namespace {

std::string slug_of(std::string_view text, const TextRules& rules = {}) {
  const auto clean = clean_text(text, "name", rules);
  if (clean) return "accepted: " + *clean;
  EXPECT_EQ(clean.error().code(), Errc::invalid);
  EXPECT_EQ(clean.error().field(), "name");
  return clean.error().slug();
}

std::string repeated(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(CleanText, RefusesWhatHarms) {
  for (const std::string_view bad :
       {std::string_view("a\0b", 3), std::string_view("a\x1b[2J"), std::string_view("a\x7f"),
        std::string_view("\xff"), std::string_view("a\u202Eb"), std::string_view("a\u2066b"),
        std::string_view("\u0085x\u0085y"), std::string_view("a\nb"), std::string_view("a\tb"),
        std::string_view("a\u2028b"), std::string_view("a\uFFFFb"), std::string_view("\uFDD0")}) {
    EXPECT_EQ(slug_of(bad), "bad-text") << bad;
  }
}

TEST(CleanText, CountsMarksOnOneCharacter) {
  EXPECT_TRUE(clean_text("e" + repeated("\u0301", 16), "name", {}));
  EXPECT_EQ(slug_of("e" + repeated("\u0301", 17)), "bad-text");
  EXPECT_TRUE(clean_text(repeated("e\u0301", 100), "name", {}));
  EXPECT_EQ(slug_of("e" + repeated("\u0301", 10'000), {.chars_max = 20'000}), "bad-text");
}

TEST(CleanText, KeepsEveryScriptAndEmoji) {
  for (const std::string text : {"Жанна", "駅伝", "नमस्ते", "ภาษาไทย", "שלום", "👩‍👩‍👧",
                                 "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "'; DROP TABLE users; --", "{{7*7}}%s"}) {
    EXPECT_EQ(slug_of(text), "accepted: " + text);
  }
}

TEST(CleanText, TrimsAndMeasuresInCharacters) {
  EXPECT_EQ(slug_of("  \u00A0Anna\u200B\u3000 "), "accepted: Anna");
  EXPECT_EQ(slug_of("駅伝駅伝", {.chars_max = 4}), "accepted: 駅伝駅伝");
  EXPECT_EQ(slug_of("駅伝駅伝駅", {.chars_max = 4}), "too-long");
  EXPECT_EQ(slug_of(" \u200B ", {.chars_min = 1}), "too-short");
}

TEST(CleanText, MakesNewlinesOneKind) {
  EXPECT_EQ(slug_of("a\r\nb\rc\n\td", {.newlines = true}), "accepted: a\nb\nc\n\td");
}

TEST(CombiningMarks, AreFoundAtTheEdgesOfRanges) {
  EXPECT_TRUE(is_combining_mark(0x300));
  EXPECT_TRUE(is_combining_mark(0x36F));
  EXPECT_FALSE(is_combining_mark(0x2FF));
  EXPECT_FALSE(is_combining_mark(0x370));
  EXPECT_TRUE(is_combining_mark(0xE01EF));
  EXPECT_FALSE(is_combining_mark(0x10FFFF));
  EXPECT_FALSE(is_combining_mark('a'));
}

}  // namespace
}  // namespace ekiden
