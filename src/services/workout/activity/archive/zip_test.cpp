// zip: what it holds, and what it may not do.
#include "services/workout/activity/archive/zip.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/workout/activity/archive/testing/zip_writer.hpp"

namespace ekiden::activity {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

ZipReader open_sound(std::string_view file) {
  auto reader = open_zip(file);
  EXPECT_TRUE(reader) << reader.error().text();
  return *std::move(reader);
}

void expect_bad_file(std::string_view file, std::string_view why, const ZipLimits& limits = {}) {
  const auto reader = open_zip(file, limits);
  ASSERT_FALSE(reader) << why;
  EXPECT_EQ(reader.error().code(), Errc::invalid);
  EXPECT_EQ(reader.error().slug(), "bad-archive");
  EXPECT_THAT(reader.error().text(), HasSubstr(std::string(why)));
}

/// The entry is refused by name, and the one beside it is still read.
void expect_bad_entry(const ZipSource& source, std::string_view why) {
  ZipWriter writer;
  const std::string file = writer.add({.name = "good.gpx", .text = "<gpx/>"}).add(source).file();
  const ZipReader reader = open_sound(file);
  ASSERT_THAT(reader.entries(), SizeIs(2));
  EXPECT_EQ(*reader.read(reader.entries()[0]), "<gpx/>");
  const auto bad = reader.read(reader.entries()[1]);
  ASSERT_FALSE(bad) << why;
  EXPECT_EQ(bad.error().slug(), "bad-archive");
  EXPECT_THAT(bad.error().text(), HasSubstr("Entry \"" + reader.entries()[1].name + "\""));
  EXPECT_THAT(bad.error().text(), HasSubstr(std::string(why)));
}

TEST(Zip, ReadsStoredAndDeflatedEntries) {
  const std::string large(500'000, 'x');
  const std::string file = ZipWriter()
                               .add({.name = "a.gpx", .text = "<gpx/>"})
                               .add({.name = "folder/b.fit", .text = "raw bytes", .stored = true})
                               .add({.name = "empty", .text = ""})
                               .add({.name = "large", .text = large, .zip64 = true})
                               .file("a comment");
  const ZipReader reader = open_sound(file);
  ASSERT_THAT(reader.entries(), SizeIs(4));
  EXPECT_EQ(reader.entries()[1].name, "folder/b.fit");
  EXPECT_EQ(*reader.read(reader.entries()[0]), "<gpx/>");
  EXPECT_EQ(*reader.read(reader.entries()[1]), "raw bytes");
  EXPECT_EQ(*reader.read(reader.entries()[2]), "");
  EXPECT_TRUE(*reader.read(reader.entries()[3]) == large);
}

TEST(Zip, LeavesOutFoldersAndWhatMacsAdd) {
  const std::string file = ZipWriter()
                               .add({.name = "folder/", .text = "", .unix_mode = 040755})
                               .add({.name = "__MACOSX/._a.gpx", .text = "x"})
                               .add({.name = "folder/.DS_Store", .text = "x"})
                               .add({.name = "folder/a.gpx", .text = "<gpx/>"})
                               .file();
  const ZipReader reader = open_sound(file);
  ASSERT_THAT(reader.entries(), SizeIs(1));
  EXPECT_EQ(reader.entries()[0].name, "folder/a.gpx");
}

TEST(Zip, AnEmptyArchiveHasNoEntries) {
  EXPECT_THAT(open_sound(ZipWriter().file()).entries(), SizeIs(0));
}

TEST(Zip, RefusesNamesThatLeaveTheArchive) {
  for (const char* name : {"../x", "a/../../x", "/etc/passwd", "..\\x", "C:\\x", "\\\\host\\x", ".."}) {
    expect_bad_entry({.name = name, .text = "x"}, "leaves the archive");
  }
  expect_bad_entry({.name = std::string("a\0b", 3), .text = "x"}, "leaves the archive");
  expect_bad_entry({.name = "", .text = "x", .local_name = "y"}, "leaves the archive");
}

TEST(Zip, ShowsNamesSafely) {
  const std::string file = ZipWriter()
                               .add({.name = "a\r\nb\x1b[0m", .text = "x"})
                               .add({.name = "\xff\xfe.gpx", .text = "x"})
                               .add({.name = std::string(199, 'a') + "é.gpx", .text = "x"})
                               .file();
  const ZipReader reader = open_sound(file);
  EXPECT_EQ(reader.entries()[0].name, "a??b?[0m");
  EXPECT_EQ(reader.entries()[1].name, "??.gpx");
  EXPECT_EQ(reader.entries()[2].name, std::string(199, 'a'));
}

TEST(Zip, RefusesWhatIsNoPlainFile) {
  expect_bad_entry({.name = "link", .text = "/etc/passwd", .unix_mode = 0120777}, "symbolic link");
  expect_bad_entry({.name = "device", .text = "", .unix_mode = 0020666}, "not a file");
  expect_bad_entry({.name = "secret", .text = "x", .flags = 1}, "encrypted");
  expect_bad_entry({.name = "lzma", .text = "x", .method = 14}, "other than deflate");
}

TEST(Zip, RefusesArchivesInside) {
  const std::string inner = ZipWriter().add({.name = "a", .text = "b"}).file();
  expect_bad_entry({.name = "inner.zip", .text = inner}, "inside");
  expect_bad_entry({.name = "inner.zip", .text = inner, .stored = true}, "inside");
  expect_bad_entry({.name = "a.gpx.gz", .text = gzip_for_test("<gpx/>")}, "inside");
}

TEST(Zip, RefusesWhatIsNotWhatTheDirectorySays) {
  expect_bad_entry({.name = "a", .text = "hello", .wrong_crc = true}, "checksum");
  expect_bad_entry({.name = "a", .text = "hello", .size_off = 1}, "size");
  expect_bad_entry({.name = "a", .text = "hello", .size_off = -1}, "more than 4 bytes");
  expect_bad_entry({.name = "a", .text = "hello", .stored = true, .size_off = 1}, "contradict");
  expect_bad_entry({.name = "a", .text = "hello", .local_name = "b"}, "contradicts the directory");
}

TEST(Zip, RefusesEntriesThatShareBytes) {
  ZipWriter writer;
  writer.add({.name = "kernel", .text = std::string(1000, 'a')}).add({.name = "alone", .text = "fine"});
  for (const char* name : {"kernel", "kernel", "kernel"})
    writer.add({.name = name, .text = "", .shares_with = 0});
  const std::string file = writer.file();
  const ZipReader reader = open_sound(file);
  ASSERT_THAT(reader.entries(), SizeIs(5));
  for (const std::size_t i : {0U, 2U, 3U, 4U}) {
    ASSERT_TRUE(reader.entries()[i].refusal) << i;
    EXPECT_THAT(reader.entries()[i].refusal->text(), HasSubstr("shares its bytes"));
  }
  EXPECT_EQ(*reader.read(reader.entries()[1]), "fine");
}

TEST(Zip, RefusesABombByItsOwnWordsAndByItsDeeds) {
  expect_bad_entry({.name = "bomb", .text = std::string(10'000'000, '\0')}, "too many times its size");
  // It claims to be small.
  expect_bad_entry({.name = "bomb", .text = std::string(10'000'000, '\0'), .size_off = -9'999'000},
                   "more than 1000 bytes");
}

TEST(Zip, CountsItsEntries) {
  ZipWriter writer;
  for (int i = 0; i < 10'000; ++i) writer.add({.name = std::to_string(i), .text = "", .stored = true});
  EXPECT_THAT(open_sound(writer.file()).entries(), SizeIs(10'000));
  expect_bad_file(writer.add({.name = "one more", .text = ""}).file(), "10001 entries");
}

TEST(Zip, HoldsTheTotalToTheByte) {
  ZipWriter writer;
  writer.add({.name = "a", .text = std::string(600, 'a')}).add({.name = "b", .text = std::string(400, 'b')});
  ZipLimits limits;
  limits.total_bytes_end = 1001;
  EXPECT_TRUE(open_zip(writer.file(), limits));
  limits.total_bytes_end = 1000;
  expect_bad_file(writer.file(), "1000 bytes or more together", limits);
}

TEST(Zip, AGibibyteInAllIsTooMuchWhateverItsParts) {
  ZipWriter writer;
  // Only the directory counts here, so the bytes need not be there.
  for (int i = 0; i < 64; ++i) {
    std::string text(100'000, 'x');
    for (std::size_t k = 0; k < text.size(); ++k) text[k] = static_cast<char>(k * k * 2654435761U >> 13U);
    writer.add({.name = std::to_string(i), .text = text, .size_off = (16 << 20) - 100'000});
  }
  expect_bad_file(writer.file(), "1073741824 bytes or more together");
}

TEST(Zip, RefusesEveryTruncationAndWhatFollowsTheEnd) {
  const std::string file = ZipWriter().add({.name = "a.gpx", .text = "<gpx/>"}).file("comment");
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(open_zip(std::string_view(file).substr(0, size))) << size;
  }
  expect_bad_file(file + "x", "not at its end");
}

TEST(Zip, SurvivesEveryFlippedByte) {
  const std::string sound = ZipWriter()
                                .add({.name = "a.gpx", .text = "<gpx/><gpx/><gpx/>"})
                                .add({.name = "b", .text = "stored", .stored = true, .zip64 = true})
                                .file();
  std::size_t read = 0;
  for (std::size_t i = 0; i < sound.size(); ++i) {
    std::string file = sound;
    file[i] = static_cast<char>(~file[i]);
    const auto reader = open_zip(file);
    if (!reader) continue;
    for (const ZipEntry& entry : reader->entries()) {
      const auto text = reader->read(entry);
      if (text) {
        EXPECT_TRUE(*text == "<gpx/><gpx/><gpx/>" || *text == "stored") << i;
      }
      ++read;
    }
  }
  EXPECT_GT(read, 0U);
}

}  // namespace
}  // namespace ekiden::activity
