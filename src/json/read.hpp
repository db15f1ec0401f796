#pragma once

#include <concepts>
#include <limits>
#include <string>

#include "base/result.hpp"
#include "json/document.hpp"
#include "json/types.hpp"

namespace ekiden::json {

/// What to do with members that the struct does not have. Requests refuse them; readers of events pass over
/// them, as a newer writer may have added some.
enum class Unknown : std::uint8_t { refuse, ignore };

/// Where in the text a reader stands: `points[3].lat`. A chain on the stack that becomes text only in an
/// error.
class Path {
 public:
  explicit Path(Unknown unknown) : unknown_(unknown) {}
  Path member(std::string_view name) const { return {this, name, 0}; }
  Path element(std::size_t index) const { return {this, {}, index}; }

  Unknown unknown() const { return unknown_; }
  std::string text() const;
  /// @returns invalid, slug `wrong-type`.
  Error wrong_type(std::string_view wanted) const;
  /// @returns invalid, slug `out-of-range`.
  Error out_of_range(std::string_view wanted) const;
  /// @returns invalid, slug `missing-field`.
  Error missing(std::string_view name) const;
  /// @returns invalid, slug `unknown-field`.
  Error unknown_field(std::string_view name) const;

 private:
  Path(const Path* parent, std::string_view name, std::size_t index)
      : parent_(parent), name_(name), index_(index), unknown_(parent->unknown_) {}

  const Path* parent_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
  Unknown unknown_;
};

template <class T>
Result<void> read_into(T& out, const Node& node, const Path& path);

namespace detail {

Result<void> read_bool(bool& out, const Node& node, const Path& path);
Result<void> read_double(double& out, const Node& node, const Path& path);
Result<void> read_string(std::string& out, const Node& node, const Path& path);
Result<void> read_timestamp(Timestamp& out, const Node& node, const Path& path);
Result<void> read_uuid(Uuid& out, const Node& node, const Path& path);
Result<std::int64_t> read_signed(const Node& node, const Path& path, std::int64_t min, std::int64_t max);
Result<std::uint64_t> read_unsigned(const Node& node, const Path& path, std::uint64_t max);
/// The error for the first member of `object` that is not among `names`.
Result<void> refuse_unknown(const Node& object, const Path& path, const std::vector<std::string_view>& names);

template <std::integral T>
Result<void> read_integer(T& out, const Node& node, const Path& path) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::signed_integral<T>) {
    EKIDEN_TRY(const std::int64_t number, read_signed(node, path, Limits::min(), Limits::max()));
    out = static_cast<T>(number);
  } else {
    EKIDEN_TRY(const std::uint64_t number, read_unsigned(node, path, Limits::max()));
    out = static_cast<T>(number);
  }
  return {};
}

template <DescribedEnum T>
Result<void> read_enum(T& out, const Node& node, const Path& path) {
  const auto text = node.text();
  bool found = false;
  std::string names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
    const std::string_view name = wire_name(enumerator.name);
    if (text && *text == name) {
      out = enumerator.value;
      found = true;
    }
    if (!found) {
      if (!names.empty()) names += ", ";
      names += name;
    }
  });
  if (!text) return path.wrong_type("one of: " + names);
  if (!found) return path.out_of_range("one of: " + names);
  return {};
}

template <class T>
Result<void> read_array(std::vector<T>& out, const Node& node, const Path& path) {
  if (node.kind() != Node::Kind::array) return path.wrong_type("an array");
  out.clear();
  out.reserve(node.size());
  for (std::size_t i = 0; i < node.size(); ++i) {
    T element{};
    EKIDEN_CHECK(read_into(element, node.at(i), path.element(i)));
    out.push_back(std::move(element));
  }
  return {};
}

template <class T>
Result<void> read_map(std::map<std::string, T>& out, const Node& node, const Path& path) {
  if (node.kind() != Node::Kind::object) return path.wrong_type("an object");
  out.clear();
  for (std::size_t i = 0; i < node.size(); ++i) {
    const std::string_view name = node.name_at(i);
    EKIDEN_CHECK(read_into(out[std::string(name)], node.at(i), path.member(name)));
  }
  return {};
}

template <class Struct, class Member>
Result<void> read_member(Member& out, const Node& object, const Path& path, std::string_view name) {
  const auto node = object.find(name);
  if (node) return read_into(out, *node, path.member(name));
  if constexpr (!kIsOptional<Member> && !kIsPatch<Member> && !HasDefaults<Struct>) return path.missing(name);
  return {};
}

template <DescribedStruct T>
Result<void> read_struct(T& out, const Node& node, const Path& path) {
  if (node.kind() != Node::Kind::object) return path.wrong_type("an object");
  if (path.unknown() == Unknown::refuse) {
    std::vector<std::string_view> names;
    boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) { names.push_back(wire_name(member.name)); });
    EKIDEN_CHECK(refuse_unknown(node, path, names));
  }
  Result<void> outcome;
  boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
    if (outcome) outcome = read_member<T>(out.*member.pointer, node, path, wire_name(member.name));
  });
  return outcome;
}

}  // namespace detail

/// Reads `node` into `out`; the types are those of `append`. On an error `out` is partly filled: drop it.
/// @errors invalid  slug `unknown-field`, `missing-field`, `wrong-type` or `out-of-range`; `field` is the
/// path.
template <class T>
Result<void> read_into(T& out, const Node& node, const Path& path) {
  if constexpr (HasCodec<T>) {
    return Codec<T>::read(out, node, path);
  } else if constexpr (std::same_as<T, bool>) {
    return detail::read_bool(out, node, path);
  } else if constexpr (std::same_as<T, double>) {
    return detail::read_double(out, node, path);
  } else if constexpr (std::integral<T>) {
    return detail::read_integer(out, node, path);
  } else if constexpr (std::same_as<T, std::string>) {
    return detail::read_string(out, node, path);
  } else if constexpr (std::same_as<T, RawJson>) {
    out.text.clear();
    node.append_to(out.text);
    return {};
  } else if constexpr (std::same_as<T, Timestamp>) {
    return detail::read_timestamp(out, node, path);
  } else if constexpr (std::same_as<T, Uuid> || kIsId<T>) {
    Uuid uuid;
    EKIDEN_CHECK(detail::read_uuid(uuid, node, path));
    out = T{uuid};
    return {};
  } else if constexpr (kIsOptional<T>) {
    out.reset();
    return node.is_null() ? Result<void>{} : read_into(out.emplace(), node, path);
  } else if constexpr (kIsPatch<T>) {
    if (node.is_null()) {
      out = T::null();
      return {};
    }
    std::remove_cvref_t<decltype(out.value())> value{};
    EKIDEN_CHECK(read_into(value, node, path));
    out = T{std::move(value)};
    return {};
  } else if constexpr (kIsVector<T>) {
    return detail::read_array(out, node, path);
  } else if constexpr (kIsMap<T>) {
    return detail::read_map(out, node, path);
  } else if constexpr (DescribedEnum<T>) {
    return detail::read_enum(out, node, path);
  } else if constexpr (DescribedStruct<T>) {
    return detail::read_struct(out, node, path);
  } else {
    static_assert(kUnsupported<T>, "describe the type (BOOST_DESCRIBE_STRUCT) or give it a Codec");
  }
}

/// Reads a parsed value. Errors as `read_into`.
template <class T>
Result<T> read_value(const Node& node, Unknown unknown = Unknown::refuse) {
  T value{};
  EKIDEN_CHECK(read_into(value, node, Path{unknown}));
  return value;
}

/// Parses `body` strictly and reads it. Errors as `Document::parse` and `read_into`.
template <class T>
Result<T> read(std::string_view body, Unknown unknown = Unknown::refuse) {
  EKIDEN_TRY(const Document document, Document::parse(body));
  return read_value<T>(document.root(), unknown);
}

}  // namespace ekiden::json
