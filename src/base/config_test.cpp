#include "base/config.hpp"

#include <gtest/gtest.h>

#include "base/toml.hpp"

namespace ekiden {
namespace {

using namespace std::chrono_literals;

constexpr Option<int> kPrefetch{
    .key = "consumer.prefetch", .help = "Events in work.", .fallback = 256, .min = 1, .max = 65536};
constexpr Option<double> kShare{
    .key = "consumer.share", .help = "A share.", .fallback = 0.5, .min = 0, .max = 1};
constexpr Option<bool> kTls{.key = "http.tls", .help = "Speak TLS.", .fallback = false};
constexpr Option<Milliseconds> kGrace{
    .key = "http.grace", .help = "Time to stop.", .fallback = 10s, .min = 0ms, .max = 1h};
constexpr Option<std::string> kStore{
    .key = "sql.store", .help = "Which store.", .fallback = "sqlite", .one_of = "sqlite|postgres"};
constexpr Option<std::string> kPassword{.key = "sql.password", .help = "For the store.", .secret = true};
constexpr Option<std::vector<std::string>> kProxies{
    .key = "http.proxies", .help = "Trusted.", .fallback = "::1"};

ConfigSchema schema() {
  ConfigSchema made;
  made.add({kPrefetch, kShare, kTls, kGrace});
  made.add({kStore, kPassword, kProxies});
  return made;
}

TEST(Config, FallsBackToWhatIsBuiltIn) {
  const auto config = schema().load("");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->get(kPrefetch), 256);
  EXPECT_EQ(config->get(kGrace), 10s);
  EXPECT_EQ(config->get(kProxies), std::vector<std::string>{"::1"});
}

TEST(Config, ReadsTheFileAndLetsOverridesWin) {
  const auto config =
      schema().load(R"(# a comment
consumer.share = 1   # an integer is a number too
[http]
tls = true
grace = "250ms"
proxies = [ "10.0.0.1",  # first
            '10.0.0.2', ]
[sql]
password = "s\"\u00e9"
)",
                    {"consumer.prefetch=1_000", "sql.store=postgres", "http.grace=2m", "http.proxies="});
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->get(kShare), 1.0);
  EXPECT_TRUE(config->get(kTls));
  EXPECT_EQ(config->get(kGrace), 2min);
  EXPECT_EQ(config->get(kPrefetch), 1000);
  EXPECT_EQ(config->get(kStore), "postgres");
  EXPECT_EQ(config->get(kPassword), "s\"é");
  EXPECT_TRUE(config->get(kProxies).empty());
}

TEST(Config, TakesATextForAList) {
  const auto config = schema().load("http.proxies = '10.0.0.1,10.0.0.2'");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->get(kProxies), (std::vector<std::string>{"10.0.0.1", "10.0.0.2"}));
}

TEST(Config, ReportsAllFaultsAtOnce) {
  const auto config = schema().load(R"(
[consumer]
prefetch = 0
share = "much"
prefech = 3
[sql]
store = "oracle"
password = 5
[http]
grace = "2 h"
)",
                                    {"http.tls=maybe", "nonsense", "consumer.share=1.5"});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().slug(), "bad-config");
  EXPECT_EQ(config.error().text(),
            "line 3: consumer.prefetch: expected whole number, 1 to 65536, not 0\n"
            "line 4: consumer.share: expected number, 0.0 to 1.0\n"
            "line 5: there is no option consumer.prefech; consumer.prefetch is meant?\n"
            "line 7: sql.store: expected one of sqlite, postgres, not \"oracle\"\n"
            "line 8: sql.password: expected text\n"
            "line 10: http.grace: expected duration (\"250ms\", \"10s\", \"5m\", \"2h\"), \"0s\" to \"1h\"\n"
            "--set: http.tls: expected true or false\n"
            "--set nonsense: `=` is missing\n"
            "--set: consumer.share: expected number, 0.0 to 1.0, not 1.5");
}

TEST(Config, PrintsWhatItReadsAndHidesSecrets) {
  const auto config = schema().load("sql.password = 'hunter2'\nconsumer.prefetch = 3");
  ASSERT_TRUE(config);
  const std::string text = schema().to_toml(*config);
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  EXPECT_NE(text.find("# Events in work. (whole number, 1 to 65536; built in: 256)\nprefetch = 3\n"),
            std::string::npos);
  const auto again = schema().load(text);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->get(kPrefetch), 3);
  EXPECT_EQ(again->get(kGrace), 10s);
}

TEST(Config, DocumentsEveryOption) {
  const std::string text = schema().to_markdown();
  EXPECT_NE(text.find("## [http]"), std::string::npos);
  EXPECT_NE(text.find("| `store` | Which store. | one of sqlite, postgres | `\"sqlite\"` |"),
            std::string::npos);
}

TEST(Config, RefusesABadSchemaAndAnUnlistedOption) {
  ConfigSchema made;
  made.add({kPrefetch});
  EXPECT_THROW(made.add({kPrefetch}), std::logic_error);
  EXPECT_THROW(made.add({Option<int>{.key = "a.b", .help = "h", .fallback = 9, .min = 1, .max = 2}}),
               std::logic_error);
  EXPECT_THROW(made.add({Option<bool>{.key = "plain", .help = "h", .fallback = false}}), std::logic_error);
  EXPECT_THROW((void)made.load("")->get(kTls), std::logic_error);
}

TEST(Durations, AreExactAndBounded) {
  for (const char* text : {"0s", "1ms", "1500ms", "90s", "36h", "7d"})
    EXPECT_EQ(to_text(*parse_duration(text)), text);
  EXPECT_EQ(to_text(*parse_duration("120s")), "2m");
  for (const char* text : {"", "5", "s", "-1s", "1.5s", "1 s", "1y", "99999999999999999d", "10001d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Toml, NamesTheLineOfEachFaultAndGoesOn) {
  const TomlFile file = read_toml(
      "a = 1\r\na = 2\nb 3\n[t\nc = \"x\n[[u]]\n[t]\n[t]\nd = 1 2\ne = [1]\nf = 0x10\ng = \"\\q\"\nh = "
      "1__0\ni.j = -2.5e1");
  std::vector<std::string> lines;
  for (const std::string& fault : file.faults) lines.push_back(fault.substr(0, fault.find(':')));
  EXPECT_EQ(lines, (std::vector<std::string>{"line 2", "line 3", "line 4", "line 5", "line 6", "line 8",
                                             "line 9", "line 10", "line 11", "line 12", "line 13"}));
  ASSERT_FALSE(file.entries.empty());
  EXPECT_EQ(file.entries.front().key, "a");
  EXPECT_EQ(file.entries.back().key, "t.i.j");
  EXPECT_EQ(std::get<double>(file.entries.back().value), -25.0);
}

TEST(Toml, WritesStringsThatItReads) {
  const std::string text = "a\"\\\n\t\x01é";
  const TomlFile file = read_toml("k = " + to_toml_string(text));
  ASSERT_TRUE(file.faults.empty()) << file.faults[0];
  EXPECT_EQ(std::get<std::string>(file.entries[0].value), text);
}

}  // namespace
}  // namespace ekiden
