#include "services/gateway/pages.hpp"

#include <map>

#include "base/logger.hpp"

namespace ekiden::gateway {

namespace {

constexpr std::string_view kHead =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width,"
    "initial-scale=1\"><title>Ekiden</title><style>:root{color-scheme:light dark}body{font:16px/1.5 "
    "system-ui,sans-serif;"
    "max-width:56rem;margin:2rem auto;padding:0 "
    "1rem}h1{margin-bottom:0}table{border-collapse:collapse}td,th{padding:.2rem 1rem "
    ".2rem 0;text-align:left;vertical-align:top}pre,code{font:13px/1.45 "
    "ui-monospace,monospace}pre{overflow:auto;padding:.8rem;"
    "border:1px solid #8884;border-radius:.4rem}details{margin:.3rem "
    "0}summary{cursor:pointer}b.verb{display:inline-block;"
    "min-width:4.2rem}.dim{opacity:.7}</style></head><body>";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string_view who(http::Auth auth) {
  switch (auth) {
    case http::Auth::none:
      return "anyone";
    case http::Auth::user:
      return "signed in";
    case http::Auth::organizer:
      return "organizers";
    case http::Auth::admin:
      return "administrators";
    case http::Auth::internal:
      return "internal";
  }
  return "internal";
}

std::string describe(const http::Route& route) {
  std::string out = "<details><summary><b class=\"verb\">" + std::string(http::to_string(route.verb)) +
                    "</b><code>" + escaped(route.pattern) + "</code> " + escaped(route.doc.summary) +
                    " <span class=\"dim\">(" + std::string(who(route.auth)) + ")</span></summary>";
  for (const std::string_view name : route.doc.query_parameters)
    out += " <code>?" + escaped(name) + "</code>";
  if (route.doc.request_schema != nullptr)
    out += "<p>takes</p><pre>" + escaped(route.doc.request_schema()) + "</pre>";
  if (route.doc.response_schema != nullptr) {
    out += "<p>answers " + std::to_string(route.doc.success_status) + "</p><pre>" +
           escaped(route.doc.response_schema()) + "</pre>";
  }
  return out + "</details>";
}

}  // namespace

std::string start_page(const std::vector<std::pair<std::string, std::string>>& services_and_models,
                       std::string_view version) {
  std::string out = std::string(kHead) +
                    "<h1>Ekiden</h1><p class=\"dim\">A fitness community platform, version " +
                    escaped(version) +
                    "</p><p><a href=\"/api\">Browse the interface</a> · <a "
                    "href=\"/api/v1/openapi.json\">OpenAPI document</a></p>"
                    "<h2>What runs here</h2><table><tr><th>service</th><th>concurrency model</th></tr>";
  for (const auto& [service, model] : services_and_models) {
    out += "<tr><td>" + escaped(service) + "</td><td>" + escaped(model) + "</td></tr>";
  }
  return out +
         "</table><h2>First steps</h2><pre>curl -s -X POST $HOST/api/v1/auth/register -H 'Content-Type: "
         "application/json' \\\n"
         "  -d '{\"email\":\"ann@example.org\",\"password\":\"a long way home\",\"display_name\":\"Ann\"}'\n"
         "TOKEN=$(curl -s -X POST $HOST/api/v1/auth/login -H 'Content-Type: application/json' \\\n"
         "  -d '{\"email\":\"ann@example.org\",\"password\":\"a long way home\"}' | jq -r .access_token)\n"
         "curl -s -X POST $HOST/api/v1/uploads -H \"Authorization: Bearer $TOKEN\" -F file=@run.gpx\n"
         "curl -s $HOST/api/v1/leaderboards/distance/run/all -H \"Authorization: Bearer "
         "$TOKEN\"</pre></body></html>";
}

std::string api_page(const std::vector<const http::Route*>& routes) {
  std::map<std::string_view, std::string> by_tag;
  for (const http::Route* route : routes) {
    if (route->auth != http::Auth::internal) by_tag[route->doc.tag] += describe(*route);
  }
  std::string out = std::string(kHead) +
                    "<h1>Interface</h1><p><a href=\"/\">Ekiden</a> · "
                    "<a href=\"/api/v1/openapi.json\">OpenAPI document</a></p>";
  for (const auto& [tag, calls] : by_tag) out += "<h2>" + escaped(tag) + "</h2>" + calls;
  return out + "</body></html>";
}

http::Response html(std::string page) {
  http::Response response;
  response.headers.set("Content-Type", "text/html; charset=utf-8");
  response.headers.set("Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
                       "frame-ancestors 'none'");
  response.headers.set("Cache-Control", "no-cache");
  response.body = std::move(page);
  return response;
}

}  // namespace ekiden::gateway
