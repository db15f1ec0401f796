#include "app/service_set.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/options.hpp"
#include "app/running_service.hpp"
#include "base/testing/folder.hpp"
#include "base/testing/manual_clock.hpp"
#include "base/testing/seeded_random.hpp"

namespace ekiden::app {
namespace {

class NoLog final : public LogSink {
 public:
  void write(LogLevel, std::string) override {}
};

/// What a process lends, over embedded stores in a folder of its own.
struct Place {
  testing::Folder folder;
  testing::ManualClock clock;
  testing::SeededRandom random{3};
  Ids ids{clock, random};
  NoLog sink;
  Logger logger{sink, clock};
  Config config = *schema().load("");
  runtime::FiguresRegistry figures;
  Stores stores{config, {.data = folder.path()}, clock, random, figures, logger};
  http::TokenSigner signer{stores.secrets().token_seed};
  http::CursorSealer cursors{stores.secrets().cursor_key};
  runtime::Metrics metrics;
  ProcessParts parts{config, stores, clock, random, ids, signer, cursors, figures, metrics, logger};
};

bool needs(const ServiceRow& row, Port port) {
  return std::ranges::find(row.ports, port) != row.ports.end();
}

TEST(ServiceTable, NamesAreUniqueAndRowsAgreeWithThemselves) {
  std::set<std::string_view> names;
  for (const ServiceRow& row : service_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(needs(row, Port::sql), row.migrations != nullptr) << row.name;
    EXPECT_FALSE(row.options().empty()) << row.name;
    EXPECT_EQ(row.make == nullptr, row.name == "gateway") << row.name;
  }
}

TEST(ServiceTable, EachServiceIsWhatItsRowSays) {
  Place place;
  const RunningServices services = make_services({}, place.parts);
  for (const auto& service : services) {
    const ServiceRow& row = **find_service(service->spec.name);
    EXPECT_EQ(service->spec.model.index(), row.model(place.config).index()) << row.name;
    EXPECT_EQ(service->db != nullptr, row.migrations != nullptr) << row.name;
    EXPECT_FALSE(service->spec.routes.empty()) << row.name;
  }
  EXPECT_EQ(services.size() + 1, service_table().size());
}

TEST(ServiceTable, OnlyWhatIsAskedForIsMade) {
  Place place;
  const RunningServices services = make_services({"workout", "gateway"}, place.parts);
  ASSERT_EQ(services.size(), 1U);
  EXPECT_EQ(services.front()->spec.name, "workout");
  EXPECT_FALSE(std::filesystem::exists(place.folder / "gamification.db"));
}

TEST(ServiceTable, AnUnknownNameIsRefused) {
  EXPECT_EQ(find_service("weather").error().slug(), "unknown-service");
}

TEST(ServiceContext, GivesOnlyThePortsOfTheRow) {
  Place place;
  const ServiceRow& row = **find_service("user");
  const ServiceContext context{.row = row, .process = place.parts, .logger = place.logger};
  EXPECT_THROW((void)context.blobs(), std::logic_error);
  EXPECT_THROW((void)context.ranking(), std::logic_error);
  EXPECT_THROW((void)context.database(), std::logic_error) << "nobody has opened its tables";
}

TEST(Adapters, TheConfigurationChoosesAndRefusesUnknownOnes) {
  EXPECT_TRUE(schema().load("", {"sql.adapter=sqlite", "claims.adapter=sql", "blobs.adapter=directory"}));
  const auto unknown = schema().load("", {"ranking.adapter=abacus"});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().text(), ::testing::HasSubstr("ranking.adapter"));
}

TEST(Adapters, ClaimsAreKeptBesideTheServicesTables) {
  Place place;
  sql::Database& own = place.stores.database("some", {{.name = "claims", .text = R"(
CREATE TABLE claims (claim_key TEXT PRIMARY KEY, holder TEXT NOT NULL, epoch BIGINT NOT NULL,
expires_at BIGINT NOT NULL);
)"}});
  const auto lease = place.stores.claims("some", own).take("letter", "me", std::chrono::seconds{5});
  ASSERT_TRUE(lease) << lease.error().text();
  EXPECT_TRUE(lease->has_value());
}

}  // namespace
}  // namespace ekiden::app
