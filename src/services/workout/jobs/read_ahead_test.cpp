// Goal: a file that was read ahead is handed out once, and whatever hinders the reading leaves nothing behind
// that holds up an import. Method: a pool whose only thread a gate holds.
#include "services/workout/jobs/read_ahead.hpp"

#include <filesystem>
#include <fstream>
#include <future>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/testing/kept_lines.hpp"
#include "base/testing/manual_clock.hpp"
#include "ports/blobs/sha256.hpp"
#include "services/workout/store/blob_refs.hpp"

namespace ekiden::workout {
namespace {

class ReadAheadTest : public ::testing::Test {
 protected:
  ~ReadAheadTest() override { std::filesystem::remove_all(folder_); }

  struct File {
    blobs::Hash hash;
    std::filesystem::path path;
    std::int64_t bytes = 0;
  };

  File file(const std::string& name) {
    const std::string content =
        "<gpx version=\"1.1\" creator=\"t\"><trk><name>" + name +
        "</name><trkseg><trkpt lat=\"48\" lon=\"11\"><time>2026-11-22T10:00:00Z</time></trkpt>"
        "<trkpt lat=\"48.001\" lon=\"11\"><time>2026-11-22T10:01:00Z</time></trkpt></trkseg></trk></gpx>";
    return written(name, content);
  }

  File written(const std::string& name, const std::string& content) {
    blobs::Sha256 hash;
    hash.add(content);
    std::filesystem::create_directories(folder_);
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return {hash.finish(), path, static_cast<std::int64_t>(content.size())};
  }

  void begin(const File& file) { ahead_.begin(file.hash, file.path, file.bytes, nullptr); }

  /// Until all that was posted has run.
  void settle() {
    std::promise<void> ran;
    ASSERT_TRUE(cpu_.try_post([&ran] { ran.set_value(); }));
    ran.get_future().wait();
  }

  /// Holds the pool's thread until the promise is kept.
  std::promise<void> hold_pool() {
    std::promise<void> gate;
    EXPECT_TRUE(cpu_.try_post([opened = gate.get_future().share()] { opened.wait(); }));
    return gate;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ("read-ahead-" + std::to_string(::getpid()));
  testing::ManualClock clock_;
  testing::KeptLines lines_;
  runtime::FiguresRegistry figures_;
  runtime::CpuPool cpu_{{.service = "workout", .name = "cpu"},
                        {.threads = 1, .queue_max = 16},
                        Logger(lines_, clock_),
                        figures_};
  ReadAhead ahead_{cpu_, ReadLimits{}, clock_};
};

TEST_F(ReadAheadTest, HandsOutWhatItReadOnce) {
  const File run = file("run");
  begin(run);
  settle();
  const auto read = ahead_.take(run.hash);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->kind, activity::FileKind::gpx);
  EXPECT_EQ((*read)->content_hash, run.hash);
  ASSERT_EQ((*read)->activities.size(), 1U);
  EXPECT_EQ((*read)->activities[0].name, "run");
  EXPECT_FALSE(ahead_.take(run.hash));
}

TEST_F(ReadAheadTest, AFileThatCannotBeReadHasTheReadersError) {
  const std::string content = "no recording";
  const File broken = written("broken", content);
  begin(broken);
  settle();
  const auto read = ahead_.take(broken.hash);
  ASSERT_TRUE(read && !*read);
  EXPECT_EQ(read->error().slug(), read_file(content, broken.hash, std::nullopt, {}).error().slug());
}

TEST_F(ReadAheadTest, WhatHasNotBegunIsLeftToTheImport) {
  const File run = file("run");
  std::promise<void> gate = hold_pool();
  begin(run);
  EXPECT_FALSE(ahead_.take(run.hash));
  gate.set_value();
  settle();
  EXPECT_FALSE(ahead_.take(run.hash));
}

TEST_F(ReadAheadTest, ArchivesLargeFilesAndMissingOnesAreLeftToTheImport) {
  const File archive = written("archive", std::string("PK\x03\x04", 4) + std::string(64, '\0'));
  File large = file("large");
  large.bytes = ReadAhead::kBytesMax + 1;
  File missing = file("missing");
  missing.path = folder_ / "not-there";
  for (const File& one : {archive, large, missing}) begin(one);
  settle();
  for (const File& one : {archive, large, missing}) EXPECT_FALSE(ahead_.take(one.hash));
}

TEST_F(ReadAheadTest, HoldsAFewAndForgetsThemInTime) {
  for (std::size_t i = 0; i < ReadAhead::kHeldMax; ++i) begin(file("file " + std::to_string(i)));
  const File further = file("further");
  begin(further);
  settle();
  EXPECT_FALSE(ahead_.take(further.hash));
  ahead_.forget(file("file 0").hash);
  begin(further);
  settle();
  EXPECT_TRUE(ahead_.take(further.hash));
  begin(further);
  const File last = file("last");
  clock_.advance(ReadAhead::kKept + std::chrono::seconds{1});
  begin(last);
  settle();
  EXPECT_TRUE(ahead_.take(last.hash));
  EXPECT_FALSE(ahead_.take(file("file 1").hash));
}

}  // namespace
}  // namespace ekiden::workout
