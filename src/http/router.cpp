#include <array>
#include <map>
#include <stdexcept>

#include "http/route.hpp"
#include "http/text.hpp"

namespace ekiden::http {
namespace {

constexpr std::size_t kVerbCount = 7;

/// Takes the first segment off `rest`, which begins with a slash.
std::string_view next_segment(std::string_view& rest) {
  rest.remove_prefix(1);
  const std::size_t end = rest.find('/');
  const std::string_view segment = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  return segment;
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

std::string_view to_string(RateClass rate_class) {
  switch (rate_class) {
    case RateClass::read:
      return "read";
    case RateClass::write:
      return "write";
    case RateClass::upload:
      return "upload";
    case RateClass::auth:
      return "auth";
    case RateClass::none:
      return "none";
  }
  return "none";
}

struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::string_view parameter_name;  ///< lives in the route's pattern
  std::array<const Route*, kVerbCount> routes{};

  bool has_routes() const {
    for (const Route* route : routes) {
      if (route != nullptr) return true;
    }
    return false;
  }

  const Route* route_for(Verb verb) const {
    const Route* own = routes[static_cast<std::size_t>(verb)];
    // HEAD is GET without the body: nobody writes rows for it.
    if (own == nullptr && verb == Verb::head) own = routes[static_cast<std::size_t>(Verb::get)];
    return own;
  }

  Node& child(std::string_view segment, std::string_view pattern) {
    if (!is_parameter(segment)) {
      auto& slot = literals[std::string(segment)];
      if (!slot) slot = std::make_unique<Node>();
      return *slot;
    }
    const std::string_view name = segment.substr(1, segment.size() - 2);
    if (!parameter) {
      parameter = std::make_unique<Node>();
      parameter_name = name;
    } else if (parameter_name != name) {
      throw std::logic_error("route " + std::string(pattern) + ": {" + std::string(name) + "} is called {" +
                             std::string(parameter_name) + "} in another pattern");
    }
    return *parameter;
  }

  /// The deepest node that fits, a literal before a parameter; turns back where a literal leads nowhere.
  const Node* walk(std::string_view rest, PathParams& params) const {
    if (rest.empty()) return has_routes() ? this : nullptr;
    const std::string_view segment = next_segment(rest);
    if (const auto it = literals.find(segment); it != literals.end()) {
      if (const Node* found = it->second->walk(rest, params)) return found;
    }
    if (!parameter || segment.empty() || params.size == params.items.size()) return nullptr;
    const std::size_t mark = params.size;
    params.items[params.size++] = {parameter_name, segment};
    if (const Node* found = parameter->walk(rest, params)) return found;
    params.size = mark;
    return nullptr;
  }

  std::string allow() const {
    std::string list;
    const auto append = [&list](Verb verb) {
      if (!list.empty()) list += ", ";
      list += to_string(verb);
    };
    for (std::size_t i = 0; i < kVerbCount; ++i) {
      const Verb verb = static_cast<Verb>(i);
      if (route_for(verb) != nullptr) append(verb);
    }
    if (routes[static_cast<std::size_t>(Verb::options)] == nullptr) append(Verb::options);
    return list;
  }
};

Router::Router(std::vector<Entry> entries) : root_(std::make_unique<Node>()), entries_(std::move(entries)) {
  for (const Entry& entry : entries_) {
    const Route& route = *entry.route;
    if (route.pattern.empty() || route.pattern.front() != '/')
      throw std::logic_error("route " + std::string(route.pattern) + ": a pattern begins with a slash");
    Node* node = root_.get();
    for (std::string_view rest = route.pattern; !rest.empty();)
      node = &node->child(next_segment(rest), route.pattern);
    const Route*& slot = node->routes[static_cast<std::size_t>(route.verb)];
    if (slot != nullptr)
      throw std::logic_error("route " + std::string(to_string(route.verb)) + " " +
                             std::string(route.pattern) + " stands twice");
    slot = &route;
  }
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

const Route* Router::match(Verb verb, std::string_view path, PathParams& params) const {
  params.size = 0;
  if (path.empty() || path.front() != '/') return nullptr;
  const Node* node = root_->walk(path, params);
  return node == nullptr ? nullptr : node->route_for(verb);
}

Result<Router::Match> Router::find(Verb verb, std::string_view path, std::string* allow) const {
  PathParams params;
  const Node* node = path.empty() || path.front() != '/' ? nullptr : root_->walk(path, params);
  if (node == nullptr) return Error{Errc::not_found, "not-found", "There is nothing at this path."};
  const Route* route = node->route_for(verb);
  if (route == nullptr) {
    if (allow != nullptr) *allow = node->allow();
    return Error{Errc::unsupported, "method-not-allowed",
                 "This path does not take this method; Allow names those it takes."};
  }
  Match match{.route = route, .params = {}};
  for (const auto& [name, value] : params.view()) match.params.emplace_back(name, value);
  return match;
}

Response unrouted(const Error& error, Verb verb, const std::string& allow, std::string_view request_id) {
  const bool is_known_path = error.code() == Errc::unsupported;
  Response response =
      is_known_path && verb == Verb::options ? Response::no_content() : problem(error, request_id);
  if (is_known_path) response.headers.add("Allow", allow);
  return response;
}

std::string_view Router::service_of(const Route& route) const {
  for (const Entry& entry : entries_) {
    if (entry.route == &route) return entry.service;
  }
  throw std::logic_error("route " + std::string(route.pattern) + " is in no table");
}

}  // namespace ekiden::http
