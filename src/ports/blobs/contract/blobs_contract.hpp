#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/testing/folder.hpp"
#include "base/testing/seeded_random.hpp"
#include "ports/blobs/blobs.hpp"

/// What every adapter of the blobs port promises. An adapter's test instantiates BlobsContract with a maker
/// of empty stores.
namespace ekiden::blobs::testing {

struct BlobsMaker {
  std::string name;
  std::function<std::unique_ptr<Blobs>()> make;
};

class BlobsContract : public ::testing::TestWithParam<BlobsMaker> {
 protected:
  static constexpr std::int64_t kMax = 8 << 20;
  static Errc code(const auto& result) { return result ? Errc::busy : result.error().code(); }
  static std::string bytes(std::uint64_t seed, std::size_t size) {
    ekiden::testing::SeededRandom random(seed);
    std::string content(size, '\0');
    random.fill(std::as_writable_bytes(std::span(content)));
    return content;
  }
  std::optional<Hash> put(std::string_view content) {
    const auto hash = store_->put(content);
    EXPECT_TRUE(hash) << hash.error().text();
    return hash ? std::optional(*hash) : std::nullopt;
  }

  std::unique_ptr<Blobs> store_ = GetParam().make();
};

TEST_P(BlobsContract, NamesABlobByItsSha256) {  // FIPS 180-4 and its examples
  EXPECT_EQ(put("")->to_hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(put("abc")->to_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(put(std::string(1'000'000, 'a'))->to_hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(*store_->get(*Hash::parse_hex(put("abc")->to_hex()), kMax), "abc");
  EXPECT_EQ(*store_->get(*put(""), kMax), "");
}

TEST_P(BlobsContract, PiecesAreOneContent) {
  const std::string content = bytes(1, 300'001);
  const auto writer = *store_->create();
  for (std::size_t at = 0, size = 1; at < content.size(); at += size, size = size * 3 % 70'001) {
    ASSERT_TRUE(writer->write(std::string_view(content).substr(at, size)));
  }
  EXPECT_EQ(writer->size(), 300'001);
  const auto hash = writer->commit();
  ASSERT_TRUE(hash);
  EXPECT_EQ(*hash, *put(content));
  EXPECT_EQ(*store_->get(*hash, kMax), content);
}

TEST_P(BlobsContract, NothingIsThereBeforeTheCommitNorWithoutOne) {
  const std::string content = bytes(2, 5'000);
  auto first = *store_->create();
  ASSERT_TRUE(first->write(content));
  const Hash other = *put("other");
  const auto second = *store_->create();
  ASSERT_TRUE(second->write(content));
  const Hash hash = *put(content);
  ASSERT_TRUE(*store_->remove(hash));
  EXPECT_EQ(code(store_->size(hash)), Errc::not_found);
  {
    const auto dropped = std::move(*store_->create());
  }
  EXPECT_EQ(*second->commit(), hash);
  EXPECT_EQ(*store_->get(hash, kMax), content);
  EXPECT_EQ(*store_->get(other, kMax), "other");
}

TEST_P(BlobsContract, TheSameContentIsKeptOnce) {
  const std::string content = bytes(3, 1'000);
  const Hash hash = *put(content);
  EXPECT_EQ(*put(content), hash);
  EXPECT_TRUE(*store_->remove(hash));
  EXPECT_FALSE(*store_->remove(hash));
  EXPECT_EQ(code(store_->get(hash, kMax)), Errc::not_found);
  std::string into(10, '\0');
  EXPECT_EQ(code(store_->read(hash, 0, into)), Errc::not_found);
  EXPECT_EQ(*put(content), hash);
  EXPECT_EQ(*store_->get(hash, kMax), content);
}

TEST_P(BlobsContract, ReadsFromAnyOffset) {
  const Hash hash = *put("0123456789");
  EXPECT_EQ(*store_->size(hash), 10);
  std::string into(4, '.');
  EXPECT_EQ(*store_->read(hash, 3, into), 4U);
  EXPECT_EQ(into, "3456");
  EXPECT_EQ(*store_->read(hash, 8, into), 2U);
  EXPECT_EQ(into.substr(0, 2), "89");
  EXPECT_EQ(*store_->read(hash, 10, into), 0U);
  EXPECT_EQ(*store_->read(hash, 1'000'000, into), 0U);
  EXPECT_EQ(code(store_->read(hash, -1, into)), Errc::invalid);
}

TEST_P(BlobsContract, GetRefusesWhatIsLargerThanAskedFor) {
  const Hash hash = *put("0123456789");
  EXPECT_EQ(*store_->get(hash, 10), "0123456789");
  EXPECT_EQ(code(store_->get(hash, 9)), Errc::too_large);
}

TEST_P(BlobsContract, AWriterIsSpentByItsCommit) {
  const auto writer = *store_->create();
  ASSERT_TRUE(writer->write("once"));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(code(writer->commit()), Errc::internal);
  EXPECT_EQ(code(writer->write("more")), Errc::internal);
}

/// A file of a caller's, gone with this object.
class CallersFile {
 public:
  explicit CallersFile(const std::string& content) { std::ofstream(path_, std::ios::binary) << content; }
  const std::filesystem::path& path() const { return path_; }

 private:
  const ekiden::testing::Folder folder_;
  const std::filesystem::path path_ = folder_ / "incoming";
};

TEST_P(BlobsContract, AdoptsFilesFewAndManyNewAndKnownOnceAndTwice) {
  for (const std::size_t count : {0U, 1U, 3U, 60U}) {
    std::vector<std::string> contents;
    std::vector<std::unique_ptr<CallersFile>> files;
    std::vector<Incoming> incoming;
    for (std::size_t i = 0; i < count; ++i) {
      contents.push_back(i % 7 == 2 ? contents.front() : bytes(count * 100 + i, i * 1'000));
      files.push_back(std::make_unique<CallersFile>(contents[i]));
      const Hash hash = *put(contents[i]);
      if (i % 5 != 3) ASSERT_TRUE(store_->remove(hash));
      incoming.push_back({files[i]->path(), hash, static_cast<std::int64_t>(contents[i].size())});
    }
    ASSERT_TRUE(store_->adopt(incoming));
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(*store_->get(incoming[i].hash, kMax), contents[i]);
      EXPECT_TRUE(std::filesystem::exists(files[i]->path()));
    }
    ASSERT_TRUE(store_->adopt(incoming));
    files.clear();
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(*store_->get(incoming[i].hash, kMax), contents[i]);
  }
}

TEST_P(BlobsContract, OpenContentIsThereForAsLongAsItIsHeld) {
  const std::string content = bytes(9, 300'000);
  const Hash hash = *put(content);
  const Hash empty = *put("");
  EXPECT_EQ((*store_->open(empty, 0))->bytes(), "");
  EXPECT_EQ(code(store_->open(hash, 299'999)), Errc::too_large);
  const auto opened = store_->open(hash, 300'000);
  ASSERT_TRUE(opened);
  ASSERT_TRUE(*store_->remove(hash));
  EXPECT_EQ((*opened)->bytes(), content);
  EXPECT_EQ(code(store_->open(hash, kMax)), Errc::not_found);
}

TEST_P(BlobsContract, ManyThreadsWriteTheSameAndDifferentContents) {
  std::vector<std::vector<std::optional<Hash>>> hashes(4, std::vector<std::optional<Hash>>(12));
  {
    std::vector<std::jthread> threads;
    for (auto& mine : hashes) {
      threads.emplace_back([this, &mine] {
        for (std::size_t i = 0; i < mine.size(); ++i) mine[i] = put(bytes(i % 6, 20'000));
      });
    }
  }
  for (std::size_t i = 0; i < hashes[0].size(); ++i) {
    for (const auto& mine : hashes) ASSERT_EQ(mine[i], hashes[0][i]);
    EXPECT_EQ(*store_->get(*hashes[0][i], kMax), bytes(i % 6, 20'000));
  }
}

TEST_P(BlobsContract, AgreesWithAMapOnARandomWalk) {
  constexpr std::uint64_t kSeed = 4'711;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  ekiden::testing::SeededRandom random(kSeed);
  std::map<Hash, std::string> model;
  std::map<std::uint64_t, Hash> names;
  for (int i = 0; i < 150; ++i) {
    const std::uint64_t number = random.below(12);
    const std::string content = bytes(number, 100 * number);
    if (random.below(3) > 0) {
      names[number] = *put(content);
      model[names[number]] = content;
    } else if (names.contains(number)) {
      ASSERT_EQ(*store_->remove(names[number]), model.erase(names[number]) == 1);
    }
    for (const auto& [known, hash] : names) {
      const auto content_now = store_->get(hash, kMax);
      ASSERT_EQ(content_now.has_value(), model.contains(hash));
      if (content_now) ASSERT_EQ(*content_now, model[hash]);
    }
  }
}

}  // namespace ekiden::blobs::testing
