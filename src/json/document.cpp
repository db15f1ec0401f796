#include "json/document.hpp"

#include <cmath>

#include "json/parse.hpp"
#include "json/write.hpp"

namespace ekiden::json {

namespace {

/// Doubles hold every whole number up to here.
constexpr double kExactMax = 9007199254740992.0;

std::optional<std::int64_t> whole(double number) {
  if (std::abs(number) > kExactMax || std::trunc(number) != number) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

}  // namespace

Node::Kind Node::kind() const {
  switch (value_->kind()) {
    case boost::json::kind::null:
      return Kind::null;
    case boost::json::kind::bool_:
      return Kind::boolean;
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_:
      return Kind::number;
    case boost::json::kind::string:
      return Kind::text;
    case boost::json::kind::array:
      return Kind::array;
    case boost::json::kind::object:
      return Kind::object;
  }
  return Kind::null;
}

std::optional<bool> Node::boolean() const {
  if (const bool* flag = value_->if_bool()) return *flag;
  return std::nullopt;
}

std::optional<std::int64_t> Node::integer() const {
  if (const std::int64_t* number = value_->if_int64()) return *number;
  if (const double* number = value_->if_double()) return whole(*number);
  return std::nullopt;
}

std::optional<std::uint64_t> Node::unsigned_integer() const {
  if (const std::uint64_t* number = value_->if_uint64()) return *number;
  const auto number = integer();
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<double> Node::number() const {
  if (const double* number = value_->if_double()) return *number;
  if (const std::int64_t* number = value_->if_int64()) return static_cast<double>(*number);
  if (const std::uint64_t* number = value_->if_uint64()) return static_cast<double>(*number);
  return std::nullopt;
}

std::optional<std::string_view> Node::text() const {
  if (const auto* text = value_->if_string()) return std::string_view(text->data(), text->size());
  return std::nullopt;
}

std::size_t Node::size() const {
  if (const auto* array = value_->if_array()) return array->size();
  if (const auto* object = value_->if_object()) return object->size();
  return 0;
}

Node Node::at(std::size_t index) const {
  if (const auto* array = value_->if_array()) return Node{array->at(index)};
  return Node{(value_->as_object().begin() + static_cast<std::ptrdiff_t>(index))->value()};
}

std::string_view Node::name_at(std::size_t index) const {
  const auto key = (value_->as_object().begin() + static_cast<std::ptrdiff_t>(index))->key();
  return {key.data(), key.size()};
}

std::optional<Node> Node::find(std::string_view name) const {
  const auto* object = value_->if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(name);
  if (found == nullptr) return std::nullopt;
  return Node{*found};
}

void Node::append_to(std::string& out) const {
  switch (kind()) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += *boolean() ? "true" : "false";
      return;
    case Kind::text:
      append_json_string(out, *text());
      return;
    case Kind::number:
      if (value_->is_int64()) return append_number(out, value_->get_int64());
      if (value_->is_uint64()) return append_number(out, value_->get_uint64());
      return append_number(out, value_->get_double());
    case Kind::array:
    case Kind::object:
      break;
  }
  const bool is_object = kind() == Kind::object;
  out.push_back(is_object ? '{' : '[');
  for (std::size_t i = 0; i < size(); ++i) {
    if (i > 0) out.push_back(',');
    if (is_object) {
      append_json_string(out, name_at(i));
      out.push_back(':');
    }
    at(i).append_to(out);
  }
  out.push_back(is_object ? '}' : ']');
}

Result<Document> Document::parse(std::string_view text, const ParseLimits& limits) {
  EKIDEN_TRY(boost::json::value value, json::parse(text, limits));
  return Document{std::make_unique<boost::json::value>(std::move(value))};
}

Document::Document(std::unique_ptr<boost::json::value> value) : value_(std::move(value)) {}
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

}  // namespace ekiden::json
