#include "services/gateway/openapi.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include "base/logger.hpp"

namespace ekiden::gateway {

namespace {

constexpr std::string_view kProblemSchema =
    R"({"type":"object","required":["type","title","status"],"properties":{"type":{"type":"string"},"title":{"type":"string"},)"
    R"("status":{"type":"integer"},"detail":{"type":"string"},"field":{"type":"string"},"instance":{"type":"string"}}})";

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// `get_workouts_id` of `GET /api/v1/workouts/{id}`.
std::string operation_id(const http::Route& route) {
  std::string id = lower(http::to_string(route.verb));
  std::string_view path = route.pattern;
  constexpr std::string_view kBase = "/api/v1";
  if (path.starts_with(kBase)) path.remove_prefix(kBase.size());
  for (const char c : path) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (letter) id.push_back(c);
    if (!letter && id.back() != '_') id.push_back('_');
  }
  while (id.back() == '_') id.pop_back();
  return id;
}

std::string parameters_of(const http::Route& route) {
  std::string out;
  const auto add = [&out](std::string_view name, std::string_view in, bool required) {
    out += out.empty() ? "" : ",";
    out += "{\"name\":" + json_text(name) + ",\"in\":\"" + std::string(in) +
           "\",\"required\":" + (required ? "true" : "false") + ",\"schema\":{\"type\":\"string\"}}";
  };
  for (std::size_t at = route.pattern.find('{'); at != std::string_view::npos;
       at = route.pattern.find('{', at + 1)) {
    add(route.pattern.substr(at + 1, route.pattern.find('}', at) - at - 1), "path", true);
  }
  for (std::string_view name : route.doc.query_parameters) {
    const bool required = name.ends_with('*');
    if (required) name.remove_suffix(1);
    add(name, "query", required);
  }
  if (route.idempotent == http::Idempotent::yes) add("Idempotency-Key", "header", false);
  return "[" + out + "]";
}

std::string body_of(const http::Route& route) {
  if (route.body.kind == http::BodyKind::none) return {};
  const bool form = route.body.kind == http::BodyKind::multipart;
  const std::string schema =
      route.doc.request_schema != nullptr ? route.doc.request_schema() : std::string(R"({"type":"object"})");
  return std::string(",\"requestBody\":{\"required\":true,\"content\":{\"") +
         (form ? "multipart/form-data" : "application/json") + "\":{\"schema\":" + schema + "}}}";
}

std::string responses_of(const http::Route& route) {
  std::string out = "\"" + std::to_string(route.doc.success_status) + "\":{\"description\":\"Done\"";
  if (route.doc.response_schema != nullptr) {
    out += ",\"content\":{\"application/json\":{\"schema\":" + route.doc.response_schema() + "}}";
  }
  out +=
      R"(},"default":{"description":"What went wrong, and how to mend it","content":{"application/problem+json":)"
      R"({"schema":{"$ref":"#/components/schemas/Problem"}}}})";
  return "{" + out + "}";
}

std::string operation_of(const http::Route& route) {
  std::string out = "{\"operationId\":" + json_text(operation_id(route)) +
                    ",\"summary\":" + json_text(route.doc.summary) + ",\"tags\":[" +
                    json_text(route.doc.tag) + "],\"parameters\":" + parameters_of(route) + body_of(route) +
                    ",\"responses\":" + responses_of(route);
  out += route.auth == http::Auth::none ? ",\"security\":[]" : "";
  return out + ",\"x-rate-class\":" + json_text(http::to_string(route.rate_class)) + "}";
}

}  // namespace

std::string openapi_document(const std::vector<const http::Route*>& routes, std::string_view version) {
  std::map<std::string, std::map<std::string, std::string>> paths;
  for (const http::Route* route : routes) {
    if (route->auth == http::Auth::internal) continue;
    paths[std::string(route->pattern)][lower(http::to_string(route->verb))] = operation_of(*route);
  }
  std::string out =
      R"({"openapi":"3.1.0","info":{"title":"Ekiden","description":"A fitness community platform","version":)" +
      json_text(version) +
      R"(,"license":{"name":"Apache-2.0","identifier":"Apache-2.0"}},"servers":[{"url":"/"}],)" +
      R"("security":[{"bearer":[]}],"components":{"securitySchemes":{"bearer":{"type":"http","scheme":"bearer"}},)" +
      R"("schemas":{"Problem":)" + std::string(kProblemSchema) + "}},\"paths\":{";
  bool first_path = true;
  for (const auto& [path, operations] : paths) {
    out += (first_path ? "" : ",") + json_text(path) + ":{";
    first_path = false;
    bool first = true;
    for (const auto& [verb, operation] : operations) {
      out += std::string(first ? "" : ",") + json_text(verb) + ":" + operation;
      first = false;
    }
    out += "}";
  }
  return out + "}}";
}

}  // namespace ekiden::gateway
