#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "http/message.hpp"
#include "http/problem.hpp"
#include "http/route.hpp"
#include "http/target.hpp"

namespace ekiden::http {
namespace {

std::string path_of(std::string_view target) {
  const Result<Target> result = parse_target(target);
  return result ? result->path : result.error().slug();
}

TEST(Target, DecodesOnce) {
  EXPECT_EQ(path_of("/"), "/");
  EXPECT_EQ(path_of("/a%20b/c"), "/a b/c");
  EXPECT_EQ(path_of("/%C3%A4"), "/\xC3\xA4");
  EXPECT_EQ(path_of("/%252e%252e"), "/%2e%2e");
  EXPECT_EQ(path_of("/a/"), "/a/");
  EXPECT_EQ(path_of("/a..b/...c"), "/a..b/...c");
}

TEST(Target, RefusesRatherThanNormalises) {
  for (const char* bad : {"",          "a",      "/v1/../admin", "/v1/%2e%2e%2fadmin",
                          "/%2e%2e/x", "/.",     "/./a",         "//",
                          "//a",       "/a//b",  "/%00",         "/a%00b",
                          "/a\\b",     "/a%5Cb", "/a%2Fb",       "/%",
                          "/%1",       "/%zz",   "/%ff",         "/%c0%af",
                          "/a%0Ab",    "/a\"b",  "/%ed%a0%80",   "/a/.%2e"})
    EXPECT_EQ(path_of(bad), "bad-path") << bad;
}

TEST(Target, DecodesTheQuery) {
  const Result<Target> target = parse_target("/a?x=1+2&y=%26&&z&x=%C3%A4");
  ASSERT_TRUE(target);
  const std::vector<std::pair<std::string, std::string>> expected{
      {"x", "1 2"}, {"y", "&"}, {"z", ""}, {"x", "\xC3\xA4"}};
  EXPECT_EQ(target->query, expected);
  for (const char* bad : {"/?a=%", "/?%ff=1", "/?a=%00", "/?a=%0d%0a"})
    EXPECT_EQ(path_of(bad), "bad-query") << bad;
  std::string many = "/?";
  for (int i = 0; i < 65; ++i) many += "a&";
  EXPECT_EQ(path_of(many), "bad-query");
}

TEST(Target, PlainPathsAreTheirOwnDecodedForm) {
  for (const char* plain : {"/", "/api/v1/me", "/a-b_c~d.e:@/f", "/a/"}) {
    EXPECT_TRUE(is_plain_path(plain)) << plain;
    EXPECT_EQ(path_of(plain), plain);
  }
  for (const char* other : {"", "a", "//", "/..", "/.a", "/%41", "/a+b", "/a b", "/\xC3\xA4"})
    EXPECT_FALSE(is_plain_path(other)) << other;
  EXPECT_EQ(percent_encode("a b/\xC3\xA4"), "a%20b%2F%C3%A4");
}

TEST(Headers, CompareWithoutCase) {
  Headers headers;
  headers.add("Accept", "a");
  headers.add("ACCEPT", "b");
  EXPECT_EQ(headers.get("accept"), "a");
  EXPECT_EQ(headers.count("Accept"), 2U);
  headers.set("aCCEPT", "c");
  EXPECT_EQ(headers.count("accept"), 1U);
  headers.remove("accept");
  EXPECT_FALSE(headers.get("Accept"));
}

TEST(Names, GoBothWays) {
  for (const Verb verb :
       {Verb::get, Verb::head, Verb::post, Verb::put, Verb::patch, Verb::del, Verb::options})
    EXPECT_EQ(parse_verb(to_string(verb)), verb);
  EXPECT_FALSE(parse_verb("TRACE"));
  for (const Role role : {Role::member, Role::organizer, Role::admin})
    EXPECT_EQ(parse_role(to_string(role)), role);
  EXPECT_FALSE(parse_role("root"));
}

TEST(Problem, TellsStatusSlugFieldAndInstance) {
  const Response response = problem(Error{Errc::invalid, "bad-limit", "1 to \"200\"", "limit"}, "id-1");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.headers.get("content-type"), "application/problem+json");
  EXPECT_EQ(response.body, R"({"type":"urn:ekiden:bad-limit","title":"Unprocessable Content","status":422,)"
                           R"("detail":"1 to \"200\"","field":"limit","instance":"id-1"})");
}

TEST(Problem, KeepsBugsToItself) {
  const Response response = problem(Error{Errc::internal, "internal", "SELECT secret FROM /var/x"}, "id-1");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("SELECT"), std::string::npos);
}

TEST(Problem, MapsMethodsAndRetries) {
  EXPECT_EQ(problem(Error{Errc::unsupported, "method-not-allowed", "x"}, "i").status, 405);
  EXPECT_EQ(problem(Error{Errc::unsupported, "unsupported-media-type", "x"}, "i").status, 415);
  EXPECT_EQ(problem(Error{Errc::busy, "busy", "x"}, "i").headers.get("retry-after"), "1");
}

Route row(Verb verb, std::string_view pattern) {
  return Route{.verb = verb, .pattern = pattern, .handler = {}};
}

TEST(Router, FindsRowsAndParameters) {
  const std::vector<Route> rows{row(Verb::get, "/users/{id}"), row(Verb::get, "/users/me"),
                                row(Verb::post, "/users/{id}/follow"), row(Verb::del, "/users/{id}")};
  std::vector<Router::Entry> entries;
  for (const Route& each : rows) entries.push_back({"user", &each});
  const Router router{entries};
  std::string allow;
  const auto found = router.find(Verb::get, "/users/42", &allow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->route, &rows[0]);
  EXPECT_EQ(found->params, (std::vector<std::pair<std::string, std::string>>{{"id", "42"}}));
  EXPECT_EQ(router.find(Verb::get, "/users/me", &allow)->route, &rows[1]);
  // `me` has no `follow` of its own: the parameter takes it.
  EXPECT_EQ(router.find(Verb::post, "/users/me/follow", &allow)->route, &rows[2]);
  EXPECT_EQ(router.find(Verb::head, "/users/42", &allow)->route, &rows[0]);
  EXPECT_EQ(router.service_of(rows[0]), "user");
  for (const char* absent : {"/users", "/users/", "/users/1/2", "/", "", "x", "/users/1/"}) {
    const auto missing = router.find(Verb::get, absent, &allow);
    ASSERT_FALSE(missing) << absent;
    EXPECT_EQ(missing.error().code(), Errc::not_found) << absent;
  }
}

TEST(Router, NamesTheMethodsThatAPathTakes) {
  const std::vector<Route> rows{row(Verb::get, "/users/{id}"), row(Verb::del, "/users/{id}")};
  const Router router{{{"user", rows.data()}, {"user", &rows[1]}}};
  std::string allow;
  const auto refused = router.find(Verb::post, "/users/1", &allow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().slug(), "method-not-allowed");
  EXPECT_EQ(allow, "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(unrouted(refused.error(), Verb::post, allow, "id").status, 405);
  EXPECT_EQ(unrouted(refused.error(), Verb::post, allow, "id").headers.get("Allow"), allow);
  EXPECT_EQ(unrouted(refused.error(), Verb::options, allow, "id").status, 204);
  EXPECT_EQ(unrouted(refused.error(), Verb::options, allow, "id").headers.get("Allow"), allow);
  const auto missing = router.find(Verb::options, "/nowhere", &allow);
  EXPECT_EQ(unrouted(missing.error(), Verb::options, allow, "id").status, 404);
  PathParams params;
  EXPECT_EQ(router.match(Verb::post, "/users/1", params), nullptr);
  EXPECT_EQ(router.match(Verb::get, "/users/1", params), rows.data());
  EXPECT_EQ(params.view()[0].second, "1");
}

TEST(Router, RefusesContradictingTables) {
  const Route first = row(Verb::get, "/a/{id}");
  const Route twin = row(Verb::get, "/a/{id}");
  const Route other = row(Verb::put, "/a/{name}");
  const Route bare = row(Verb::get, "a");
  EXPECT_THROW(Router({{"s", &first}, {"s", &twin}}), std::logic_error);
  EXPECT_THROW(Router({{"s", &first}, {"s", &other}}), std::logic_error);
  EXPECT_THROW(Router({{"s", &bare}}), std::logic_error);
}

TEST(ReceivedFile, RemovesItsFile) {
  const auto path =
      std::filesystem::temp_directory_path() / ("ekiden-received-" + std::to_string(::getpid()));
  std::ofstream(path) << "x";
  {
    ReceivedFile file{path, "file", "a.gpx", "text/xml", 1};
    ReceivedFile moved{std::move(file)};
    EXPECT_TRUE(std::filesystem::exists(moved.path()));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace ekiden::http
