#include "json/read.hpp"

#include <algorithm>

namespace ekiden::json {

namespace {

/// A name from the input goes into an error only so far.
constexpr std::size_t kNameShownMax = 64;

std::string shown(std::string_view name) {
  if (name.size() <= kNameShownMax) return std::string(name);
  std::size_t end = kNameShownMax;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return std::string(name.substr(0, end)) + "…";
}

std::string named(const std::string& field) {
  return field.empty() ? "The body" : "`" + field + "`";
}

}  // namespace

std::string Path::text() const {
  if (parent_ == nullptr) return {};
  std::string text = parent_->text();
  if (name_.data() == nullptr) {
    text += "[" + std::to_string(index_) + "]";
    return text;
  }
  if (!text.empty()) text.push_back('.');
  text += shown(name_);
  return text;
}

Error Path::wrong_type(std::string_view wanted) const {
  const std::string field = text();
  return {Errc::invalid, "wrong-type", named(field) + " must be " + std::string(wanted) + ".", field};
}

Error Path::out_of_range(std::string_view wanted) const {
  const std::string field = text();
  return {Errc::invalid, "out-of-range", named(field) + " must be " + std::string(wanted) + ".", field};
}

Error Path::missing(std::string_view name) const {
  const std::string field = member(name).text();
  return {Errc::invalid, "missing-field", named(field) + " is required.", field};
}

Error Path::unknown_field(std::string_view name) const {
  const std::string field = member(name).text();
  return {Errc::invalid, "unknown-field", named(field) + " is not known here: leave it out.", field};
}

namespace detail {

Result<void> read_bool(bool& out, const Node& node, const Path& path) {
  const auto flag = node.boolean();
  if (!flag) return path.wrong_type("true or false");
  out = *flag;
  return {};
}

Result<void> read_double(double& out, const Node& node, const Path& path) {
  const auto number = node.number();
  if (!number) return path.wrong_type("a number");
  out = *number;
  return {};
}

Result<void> read_string(std::string& out, const Node& node, const Path& path) {
  const auto text = node.text();
  if (!text) return path.wrong_type("a string");
  out = *text;
  return {};
}

Result<void> read_timestamp(Timestamp& out, const Node& node, const Path& path) {
  const auto text = node.text();
  const auto at = text ? parse_rfc3339(*text) : std::nullopt;
  if (!at) return path.wrong_type("a time as in RFC 3339, such as 2026-11-22T06:30:00Z");
  out = *at;
  return {};
}

Result<void> read_uuid(Uuid& out, const Node& node, const Path& path) {
  const auto text = node.text();
  const auto uuid = text ? Uuid::parse(*text) : std::nullopt;
  if (!uuid) return path.wrong_type("a UUID of 36 characters");
  out = *uuid;
  return {};
}

Result<std::int64_t> read_signed(const Node& node, const Path& path, std::int64_t min, std::int64_t max) {
  const auto number = node.integer();
  if (!number && !node.unsigned_integer()) return path.wrong_type("a whole number");
  if (!number || *number < min || *number > max) {
    return path.out_of_range("from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return *number;
}

Result<std::uint64_t> read_unsigned(const Node& node, const Path& path, std::uint64_t max) {
  const auto number = node.unsigned_integer();
  if (!number && !node.integer()) return path.wrong_type("a whole number");
  if (!number || *number > max) return path.out_of_range("from 0 to " + std::to_string(max));
  return *number;
}

Result<void> refuse_unknown(const Node& object, const Path& path,
                            const std::vector<std::string_view>& names) {
  for (std::size_t i = 0; i < object.size(); ++i) {
    const std::string_view name = object.name_at(i);
    if (std::ranges::find(names, name) == names.end()) return path.unknown_field(name);
  }
  return {};
}

}  // namespace detail

}  // namespace ekiden::json
