#include "ports/blobs/directory/directory_blobs.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <set>
#include <stdexcept>
#include <system_error>
#include <tuple>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/folder.hpp"
#include "ports/blobs/contract/blobs_contract.hpp"

namespace ekiden::blobs {
namespace {

namespace fs = std::filesystem;

using Scratch = ekiden::testing::Folder;

/// Keeps its directory for as long as it lives.
class ScratchBlobs final : public Blobs {
 public:
  Result<std::unique_ptr<Writer>> create() override { return blobs_->create(); }
  Result<void> adopt(std::span<const Incoming> files) override { return blobs_->adopt(files); }
  Result<std::unique_ptr<Content>> open(const Hash& hash, std::int64_t max) const override {
    return blobs_->open(hash, max);
  }
  Result<std::size_t> read(const Hash& hash, std::int64_t offset, std::span<char> into) const override {
    return blobs_->read(hash, offset, into);
  }
  Result<std::int64_t> size(const Hash& hash) const override { return blobs_->size(hash); }
  Result<bool> remove(const Hash& hash) override { return blobs_->remove(hash); }

 private:
  const std::shared_ptr<Scratch> scratch_ = std::make_shared<Scratch>();
  const std::unique_ptr<Blobs> blobs_ = make_directory_blobs(scratch_->path());
};

std::vector<std::string> files_below(const fs::path& root) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), root).string());
  }
  std::ranges::sort(files);
  return files;
}

const std::string kContent = "0123456789abcdef";
const Hash kHash = *Hash::parse_hex("9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f");
const std::string kFile = "9f/" + kHash.to_hex();

/// Tells each call before it is made; the listener may stop it with an errno.
class ToldDisk final : public Disk {
 public:
  using Listener = std::function<Errno(const std::string& call)>;
  explicit ToldDisk(Listener listener) : listener_(std::move(listener)) {}

  int create_locked(const fs::path& file) override {
    const Errno failed = listener_("create");
    return failed != 0 ? -failed : Disk::create_locked(file);
  }
  Errno write(int descriptor, std::string_view piece) override {
    // Half of it is on the disk when the call is stopped.
    if (const Errno failed = Disk::write(descriptor, piece.substr(0, piece.size() / 2))) return failed;
    if (const Errno failed = listener_("write")) return failed;
    return Disk::write(descriptor, piece.substr(piece.size() / 2));
  }
  Errno sync_file(int descriptor) override {
    const Errno failed = listener_("sync file");
    return failed != 0 ? failed : Disk::sync_file(descriptor);
  }
  Errno sync_directory(const fs::path& directory) override {
    const Errno failed = listener_("sync " + directory.filename().string());
    return failed != 0 ? failed : Disk::sync_directory(directory);
  }
  Errno make_directory(const fs::path& directory) override {
    const Errno failed = listener_("make " + directory.filename().string());
    return failed != 0 ? failed : Disk::make_directory(directory);
  }
  Errno sync_path(const fs::path& file) override {
    const Errno failed = listener_("sync path");
    return failed != 0 ? failed : Disk::sync_path(file);
  }
  Errno sync_all(const fs::path& directory) override {
    const Errno failed = listener_("sync all");
    return failed != 0 ? failed : Disk::sync_all(directory);
  }
  Errno check_written(const fs::path& file) override {
    const Errno failed = listener_("check written");
    return failed != 0 ? failed : Disk::check_written(file);
  }
  Errno link(const fs::path& from, const fs::path& to) override {
    const Errno failed = listener_("link");
    return failed != 0 ? failed : Disk::link(from, to);
  }
  Errno rename(const fs::path& from, const fs::path& to) override {
    const Errno failed = listener_("rename");
    return failed != 0 ? failed : Disk::rename(from, to);
  }
  Errno remove(const fs::path& file) override {
    const Errno failed = listener_("remove");
    return failed != 0 ? failed : Disk::remove(file);
  }

 private:
  Listener listener_;
};

TEST(DirectoryBlobs, SyncsTheContentBeforeTheNameAndTheNameBeforeTheAnswer) {
  const Scratch scratch;
  std::vector<std::string> calls;
  const auto listener = [&](const std::string& call) {
    calls.push_back(call);
    return 0;
  };
  const auto blobs = make_directory_blobs(scratch.path(), std::make_shared<ToldDisk>(listener));
  const std::string root = scratch.path().filename().string();
  calls.clear();
  ASSERT_EQ(*blobs->put(kContent), kHash);
  EXPECT_EQ(calls, (std::vector<std::string>{"create", "write", "make 9f", "sync " + root, "sync file",
                                             "rename", "sync 9f"}));
  calls.clear();
  ASSERT_EQ(*blobs->put(kContent), kHash);
  EXPECT_EQ(calls, (std::vector<std::string>{"create", "write", "sync 9f", "remove"}));
  EXPECT_EQ(files_below(scratch.path()), std::vector<std::string>{kFile});
}

/// Every call fails once, with each of the errors that a disk gives.
TEST(DirectoryBlobs, AFailedCallLeavesNoHalfBlobAndNoTemporaryFile) {
  for (const Errno reason : {ENOSPC, EDQUOT, EIO}) {
    bool reached_the_end = false;
    for (int stop = 1; !reached_the_end; ++stop) {
      ASSERT_LT(stop, 20);
      const Scratch scratch;
      int left = -1;
      const auto listener = [&](const std::string&) { return left > 0 && --left == 0 ? reason : 0; };
      const auto blobs = make_directory_blobs(scratch.path(), std::make_shared<ToldDisk>(listener));
      left = stop;
      const auto hash = blobs->put(kContent);
      reached_the_end = left > 0;
      left = -1;
      ASSERT_EQ(hash.has_value(), reached_the_end);
      if (!hash) EXPECT_EQ(hash.error().code(), reason == EIO ? Errc::unavailable : Errc::storage_full);
      const auto files = files_below(scratch.path());
      // Only the last step, the directory's sync, comes when the whole blob has its name.
      if (!files.empty()) {
        EXPECT_EQ(files, std::vector<std::string>{kFile}) << stop;
        EXPECT_EQ(*blobs->get(kHash, 100), kContent);
      }
      EXPECT_EQ(*blobs->put(kContent), kHash);
      EXPECT_EQ(files_below(scratch.path()), std::vector<std::string>{kFile});
    }
  }
}

/// A child is killed before each call in turn; the parent looks at what is left.
TEST(DirectoryBlobs, AKilledProcessLeavesAWholeBlobOrNone) {
  bool finished = false;
  int seen_whole = 0;
  for (int stop = 1; !finished; ++stop) {
    ASSERT_LT(stop, 20);
    const Scratch scratch;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int left = -1;
      const auto listener = [&](const std::string&) {
        if (left > 0 && --left == 0) ::kill(::getpid(), SIGKILL);
        return 0;
      };
      const auto blobs = make_directory_blobs(scratch.path(), std::make_shared<ToldDisk>(listener));
      left = stop;
      ::_exit(blobs->put(kContent) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    finished = WIFEXITED(status);
    ASSERT_TRUE(finished ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
    const auto blobs = make_directory_blobs(scratch.path());
    const auto content = blobs->get(kHash, 100);
    if (content) {
      EXPECT_EQ(*content, kContent);
      ++seen_whole;
    } else {
      EXPECT_EQ(content.error().code(), Errc::not_found);
    }
    EXPECT_EQ(files_below(scratch.path()), content ? std::vector{kFile} : std::vector<std::string>{}) << stop;
    EXPECT_EQ(*blobs->put(kContent), kHash);
  }
  EXPECT_EQ(seen_whole, 2);  // killed before the last sync, and not killed
}

/// Files as a caller has them, with contents that lie in `count` different directories of the store.
std::vector<Incoming> incoming(const fs::path& folder, int count) {
  const auto hashes = make_directory_blobs(folder / "hashes");
  std::vector<Incoming> files;
  std::set<std::string> directories;
  for (int i = 0; std::cmp_less(files.size(), count); ++i) {
    const std::string content = "content " + std::to_string(i);
    const Hash hash = *hashes->put(content);
    if (!directories.insert(hash.to_hex().substr(0, 2)).second) continue;
    const fs::path path = folder / ("spool-" + std::to_string(i));
    std::ofstream(path, std::ios::binary) << content;
    files.push_back({path, hash, static_cast<std::int64_t>(content.size())});
  }
  return files;
}

TEST(DirectoryBlobs, AdoptsContentsBeforeNamesAndManyFilesByTwoWaits) {
  for (const auto& [count, one, all] : {std::tuple{2, "sync path", 0}, std::tuple{40, "check written", 2}}) {
    const Scratch spool;
    const Scratch scratch;
    const std::vector<Incoming> files = incoming(spool.path(), count);
    std::vector<std::string> calls;
    const auto listener = [&](const std::string& call) {
      calls.push_back(call);
      return 0;
    };
    const auto blobs = make_directory_blobs(scratch.path(), std::make_shared<ToldDisk>(listener));
    ASSERT_TRUE(blobs->adopt(files));
    EXPECT_EQ(std::ranges::count(calls, one), count);
    EXPECT_EQ(std::ranges::count(calls, "link"), count);
    EXPECT_EQ(std::ranges::count(calls, "sync all"), all);
    const auto first_link = std::ranges::find(calls, "link");
    EXPECT_EQ(std::count(calls.begin(), first_link, one), count);
    if (all == 2) {
      EXPECT_EQ(std::count(calls.begin(), first_link, "sync all"), 1);
      EXPECT_EQ(calls.back(), "sync all");
    }
    EXPECT_EQ(files_below(scratch.path()).size(), files.size());
    calls.clear();
    ASSERT_TRUE(blobs->adopt(files));
    EXPECT_EQ(std::ranges::count(calls, "link"), 0);
  }
}

TEST(DirectoryBlobs, AFailedAdoptionIsAnErrorAndCanBeRepeated) {
  for (const int count : {2, 12}) {
    for (const Errno reason : {ENOSPC, EIO}) {
      bool reached_the_end = false;
      for (int stop = 1; !reached_the_end; ++stop) {
        ASSERT_LT(stop, 100);
        const Scratch spool;
        const Scratch scratch;
        const std::vector<Incoming> files = incoming(spool.path(), count);
        int left = -1;
        const auto listener = [&](const std::string&) { return left > 0 && --left == 0 ? reason : 0; };
        const auto blobs = make_directory_blobs(scratch.path(), std::make_shared<ToldDisk>(listener));
        left = stop;
        const auto adopted = blobs->adopt(files);
        reached_the_end = left > 0;
        left = -1;
        ASSERT_EQ(adopted.has_value(), reached_the_end);
        if (!adopted)
          EXPECT_EQ(adopted.error().code(), reason == EIO ? Errc::unavailable : Errc::storage_full);
        ASSERT_TRUE(blobs->adopt(files));
        for (const Incoming& file : files) EXPECT_EQ(*blobs->size(file.hash), file.size);
      }
    }
  }
}

TEST(DirectoryBlobs, CopiesWhatCannotBeLinked) {
  const Scratch spool;
  const Scratch scratch;
  std::vector<Incoming> files = incoming(spool.path(), 3);
  const auto listener = [](const std::string& call) { return call == "link" ? EXDEV : 0; };
  const auto blobs = make_directory_blobs(scratch.path(), std::make_shared<ToldDisk>(listener));
  ASSERT_TRUE(blobs->adopt(files));
  for (const Incoming& file : files) EXPECT_EQ(*blobs->size(file.hash), file.size);
  std::ofstream(spool.path() / "other") << "not what the hash says";
  files[0].path = spool.path() / "other";
  ASSERT_TRUE(*blobs->remove(files[0].hash));
  EXPECT_EQ(blobs->adopt(files).error().slug(), "hash-differs");
}

TEST(DirectoryBlobs, AnAdoptedFileReplacesADamagedBlob) {
  const Scratch spool;
  const Scratch scratch;
  const std::vector<Incoming> files = incoming(spool.path(), 1);
  const auto blobs = make_directory_blobs(scratch.path());
  ASSERT_TRUE(blobs->adopt(files));
  const fs::path file = scratch.path() / files_below(scratch.path()).at(0);
  fs::remove(file);
  std::ofstream(file) << "short";
  ASSERT_TRUE(blobs->adopt(files));
  EXPECT_EQ(*blobs->get(files[0].hash, 100), "content 0");
}

TEST(DirectoryBlobs, AStartRemovesLeftOversButNotWhatLives) {
  const Scratch scratch;
  const auto first = make_directory_blobs(scratch.path());
  const auto writer = *first->create();
  ASSERT_TRUE(writer->write(kContent));
  std::ofstream(scratch.path() / "tmp" / "1-1") << "left over";
  std::ofstream(scratch.path() / "note.txt") << "somebody else's";
  EXPECT_EQ(files_below(scratch.path()).size(), 3U);
  const auto second = make_directory_blobs(scratch.path());
  EXPECT_EQ(files_below(scratch.path()).size(), 2U);
  EXPECT_EQ(*writer->commit(), kHash);
  EXPECT_EQ(*second->get(kHash, 100), kContent);
}

TEST(DirectoryBlobs, ADroppedWriterLeavesNoFile) {
  const Scratch scratch;
  const auto blobs = make_directory_blobs(scratch.path());
  {
    const auto writer = *blobs->create();
    ASSERT_TRUE(writer->write(kContent));
    EXPECT_EQ(files_below(scratch.path()).size(), 1U);
  }
  EXPECT_EQ(files_below(scratch.path()), std::vector<std::string>{});
}

TEST(DirectoryBlobs, ABlobThatWasCutShortIsReplaced) {
  const Scratch scratch;
  const auto blobs = make_directory_blobs(scratch.path());
  ASSERT_EQ(*blobs->put(kContent), kHash);
  fs::resize_file(scratch.path() / kFile, 3);
  ASSERT_EQ(*blobs->put(kContent), kHash);
  EXPECT_EQ(*blobs->get(kHash, 100), kContent);
}

TEST(DirectoryBlobs, ALinkInTheWayIsNotFollowed) {
  const Scratch scratch;
  const Scratch elsewhere;
  std::ofstream(elsewhere.path() / "secret") << kContent;
  const auto blobs = make_directory_blobs(scratch.path());
  fs::create_directories((scratch.path() / kFile).parent_path());
  fs::create_symlink(elsewhere.path() / "secret", scratch.path() / kFile);
  EXPECT_EQ(blobs->get(kHash, 100).error().code(), Errc::unavailable);
  ASSERT_EQ(*blobs->put(kContent), kHash);
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(scratch.path() / kFile)));
  EXPECT_EQ(*blobs->get(kHash, 100), kContent);
}

TEST(DirectoryBlobs, AStartWithoutAPlaceFails) {
  const Scratch scratch;
  std::ofstream(scratch.path() / "file") << "x";
  EXPECT_THROW(make_directory_blobs(scratch.path() / "file" / "blobs"), std::system_error);
}

}  // namespace

namespace testing {
namespace {

INSTANTIATE_TEST_SUITE_P(Directory, BlobsContract,
                         ::testing::Values(BlobsMaker{"directory",
                                                      [] { return std::make_unique<ScratchBlobs>(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace testing
}  // namespace ekiden::blobs
