// Goal: one person can fill neither the store nor the queue, whatever they delete, repeat or fail with.
#include <gmock/gmock.h>

#include "services/workout/testing/world.hpp"

namespace ekiden::workout {
namespace {

using testing::gpx_run;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Storage : public testing::World {};

std::string header(const http::Response& response, std::string_view name) {
  return std::string(response.headers.get(name).value_or("(none)"));
}

TEST_F(Storage, OnePersonsFilesHaveARoomAndACopyTakesNone) {
  const auto size = static_cast<std::int64_t>(gpx_run().size());
  set_up_uploads({.storage_bytes_max = 2 * size});
  const WorkoutView first = imported({"run.gpx", gpx_run()});
  ASSERT_EQ(upload({{"again.gpx", gpx_run()}, {"ride.gpx", gpx_run(1300, 9)}}).status, 202)
      << "what one has already is not counted twice";
  run_jobs();
  const http::Response full = upload({{"third.gpx", gpx_run(1300, 18)}});
  EXPECT_EQ(full.status, 413);
  EXPECT_THAT(full.body, HasSubstr("storage-quota"));
  EXPECT_THAT(full.body, HasSubstr(std::to_string(2 * size)));
  run_jobs();
  EXPECT_EQ(blobs_kept(), 2U) << "what was refused is not kept";
  EXPECT_EQ(upload({{"third.gpx", gpx_run(1300, 18)}}, {}, bob).status, 202)
      << "each has a room of their own";
  run_jobs();
  EXPECT_EQ(send(http::Verb::del, first.id.to_string(), "", alice).status, 204);
  run_jobs();
  EXPECT_EQ(upload({{"third.gpx", gpx_run(1300, 18)}}).status, 202) << "deleting makes room";
  run_jobs();
  EXPECT_EQ(count("stored_originals"), 3);
  const auto rows = db->read([](sql::Tx& tx) {
    return tx.query(
        "SELECT (SELECT CAST(SUM(bytes) AS BIGINT) FROM storage_use), "
        "(SELECT CAST(SUM(bytes) AS BIGINT) FROM stored_originals)");
  });
  EXPECT_EQ(rows.value().at(0).integer(0), rows.value().at(0).integer(1));
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Storage, OnePersonCannotFillTheQueue) {
  set_up_uploads({.uploads_queued_max = 2});
  EXPECT_EQ(upload({{"a.gpx", gpx_run(400, 0)}}).status, 202);
  EXPECT_EQ(upload({{"b.gpx", gpx_run(400, 9)}}).status, 202);
  const http::Response refused = upload({{"c.gpx", gpx_run(400, 18)}});
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("too-many-queued-uploads"));
  EXPECT_EQ(header(refused, "Retry-After"), "30");
  EXPECT_EQ(run_jobs(), 3) << "two imports, and the removal of what was refused";
  EXPECT_EQ(blobs_kept(), 2U);
  EXPECT_EQ(upload({{"c.gpx", gpx_run(400, 18)}}).status, 202);
}

}  // namespace
}  // namespace ekiden::workout
