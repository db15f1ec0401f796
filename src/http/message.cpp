#include "http/message.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <system_error>

#include "http/text.hpp"

namespace ekiden::http {
namespace {

constexpr std::array<std::string_view, 7> kVerbs{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
constexpr std::array<std::string_view, 3> kRoles{"member", "organizer", "admin"};

}  // namespace

std::string_view to_string(Verb verb) {
  return kVerbs[static_cast<std::size_t>(verb)];
}

std::optional<Verb> parse_verb(std::string_view text) {
  for (std::size_t i = 0; i < kVerbs.size(); ++i) {
    if (kVerbs[i] == text) return static_cast<Verb>(i);
  }
  return std::nullopt;
}

std::string_view to_string(Role role) {
  return kRoles[static_cast<std::size_t>(role)];
}

std::optional<Role> parse_role(std::string_view text) {
  for (std::size_t i = 0; i < kRoles.size(); ++i) {
    if (kRoles[i] == text) return static_cast<Role>(i);
  }
  return std::nullopt;
}

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  fields_.emplace_back(std::string(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [name](const auto& field) { return equal_no_case(field.first, name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (equal_no_case(key, name)) return std::string_view(value);
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(fields_, [name](const auto& field) { return equal_no_case(field.first, name); }));
}

ReceivedFile::~ReceivedFile() {
  if (path_.empty()) return;
  std::error_code ignored;  // A spool file that is gone already is what we want.
  std::filesystem::remove(path_, ignored);
}

ReceivedFile::ReceivedFile(ReceivedFile&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      field_(std::move(other.field_)),
      client_name_(std::move(other.client_name_)),
      content_type_(std::move(other.content_type_)),
      size_(other.size_),
      sha256_(std::move(other.sha256_)) {}

ReceivedFile& ReceivedFile::operator=(ReceivedFile&& other) noexcept {
  if (this == &other) return *this;
  // The file that this object held is removed by the exchanged one.
  std::swap(path_, other.path_);
  std::swap(field_, other.field_);
  std::swap(client_name_, other.client_name_);
  std::swap(content_type_, other.content_type_);
  std::swap(size_, other.size_);
  std::swap(sha256_, other.sha256_);
  return *this;
}

std::optional<std::string_view> Form::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (key == name) return std::string_view(value);
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return std::string_view(value);
  }
  return std::nullopt;
}

const std::string& Request::param(std::string_view name) const {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  throw std::logic_error("the route has no parameter {" + std::string(name) + "}");
}

const Identity& Request::user() const {
  if (!identity) throw std::logic_error("the route's auth column asks for nobody, but the handler does");
  return *identity;
}

Response Response::json(int status, std::string body) {
  Response response{
      .status = status, .headers = {}, .body = std::move(body), .stream = {}, .stream_size = {}};
  response.headers.add("Content-Type", "application/json");
  return response;
}

}  // namespace ekiden::http
