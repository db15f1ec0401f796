// What becomes of the files of an upload: kept together, waited for, and given back.
#include <thread>

#include <gmock/gmock.h>

#include "services/workout/testing/world.hpp"

namespace ekiden::workout {
namespace {

using ::testing::IsEmpty;
using namespace std::chrono_literals;
using testing::FormFile;
using testing::gpx_run;

class KeptFiles : public testing::World {};

TEST_F(KeptFiles, WaitForARemovalOfTheSameContent) {
  const WorkoutView first = imported({"a.gpx", gpx_run()});
  EXPECT_EQ(send(http::Verb::del, first.id.to_string(), "", alice).status, 204);
  const auto hash = blobs->put(gpx_run()).value();
  ASSERT_TRUE(db->write([&](sql::Tx& tx) { return begin_removal(tx, hash, clock.now()); }).value());
  deadline = Deadline::after(clock, 60s);
  {
    const std::jthread remover([this] { run_jobs(); });
    EXPECT_EQ(upload({{"a.gpx", gpx_run()}}).status, 202);
  }
  run_jobs();
  EXPECT_EQ(blobs_kept(), 1U);
  EXPECT_EQ(count("blob_removals"), 0);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(KeptFiles, AreStoredTogetherHoweverMany) {
  std::vector<FormFile> files;
  for (int i = 0; i < 30; ++i)
    files.push_back({std::to_string(i) + ".gpx", i % 10 == 7 ? "no track" : gpx_run(60, 2 * i)});
  const http::Response response = upload(files);
  ASSERT_EQ(response.status, 202);
  EXPECT_EQ(blobs_kept(), 27U);
  run_jobs();
  const UploadView view = upload_now(upload_view(response).id);
  EXPECT_EQ(view.status, UploadStatus::ready);
  for (std::size_t i = 0; i < view.files.size(); ++i)
    EXPECT_EQ(view.files[i].workout_ids.size(), i % 10 == 7 ? 0U : 1U) << i;
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(KeptFiles, ComeBackPieceByPieceWhereTheyAreLarge) {
  const std::string large = gpx_run(8'000);
  ASSERT_GT(large.size(), std::size_t{1} << 20U);
  const WorkoutView workout = imported({"large.gpx", large});
  http::Response original = get("/api/v1/workouts/{id}/original", workout.id.to_string(), alice);
  ASSERT_TRUE(original.stream);
  EXPECT_EQ(original.stream_size, static_cast<std::int64_t>(large.size()));
  std::string bytes;
  std::size_t longest = 0;
  for (bool more = true; more;) {
    std::string piece;
    more = (*original.stream)(piece).value();
    longest = std::max(longest, piece.size());
    bytes += piece;
  }
  EXPECT_EQ(bytes, large);
  EXPECT_LE(longest, std::size_t{64} << 10U);
}

}  // namespace
}  // namespace ekiden::workout
