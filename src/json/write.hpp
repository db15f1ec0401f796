#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include "base/logger.hpp"
#include "json/types.hpp"

namespace ekiden::json {

void append_number(std::string& out, std::int64_t number);
void append_number(std::string& out, std::uint64_t number);
/// The shortest text that reads back as the same double (`3`, `3.5`, `1e+300`); what is not finite becomes
/// null.
void append_number(std::string& out, double number);

template <class T>
void append(std::string& out, const T& value);

namespace detail {

template <class T>
bool is_left_out(const T& member, bool omit_null) {
  if constexpr (kIsPatch<T>) return member.is_absent();
  if constexpr (kIsOptional<T>) return omit_null && !member.has_value();
  return false;
}

template <DescribedStruct T>
void append_struct(std::string& out, const T& value) {
  out.push_back('{');
  bool first = true;
  boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
    const auto& field = value.*member.pointer;
    if (is_left_out(field, OmitsNull<T>)) return;
    if (!first) out.push_back(',');
    first = false;
    out.push_back('"');
    out += wire_name(member.name);
    out += "\":";
    append(out, field);
  });
  out.push_back('}');
}

template <DescribedEnum T>
void append_enum(std::string& out, T value) {
  std::string_view found;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
    if (enumerator.value == value) found = wire_name(enumerator.name);
  });
  if (found.empty()) {
    out += "null";
  } else {
    out.push_back('"');
    out += found;
    out.push_back('"');
  }
}

template <class Range>
void append_array(std::string& out, const Range& range) {
  out.push_back('[');
  bool first = true;
  for (auto&& element : range) {
    if (!first) out.push_back(',');
    first = false;
    append<typename Range::value_type>(out, element);
  }
  out.push_back(']');
}

template <class T>
void append_map(std::string& out, const std::map<std::string, T>& map) {
  out.push_back('{');
  bool first = true;
  for (const auto& [name, value] : map) {
    if (!first) out.push_back(',');
    first = false;
    append_json_string(out, name);
    out.push_back(':');
    append(out, value);
  }
  out.push_back('}');
}

}  // namespace detail

/// Appends `value` as JSON: described structs and enums, optional (null where empty), Patch (absent ones left
/// out of their struct), vector, map<string, T>, numbers, bool, text, Id, Uuid, Timestamp, RawJson, and what
/// has a Codec.
template <class T>
void append(std::string& out, const T& value) {
  if constexpr (HasCodec<T>) {
    Codec<T>::write(out, value);
  } else if constexpr (std::same_as<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::floating_point<T>) {
    append_number(out, static_cast<double>(value));
  } else if constexpr (std::signed_integral<T>) {
    append_number(out, static_cast<std::int64_t>(value));
  } else if constexpr (std::unsigned_integral<T>) {
    append_number(out, static_cast<std::uint64_t>(value));
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    append_json_string(out, value);
  } else if constexpr (std::same_as<T, RawJson>) {
    out += value.text;
  } else if constexpr (std::same_as<T, Timestamp>) {
    append_json_string(out, to_rfc3339(value));
  } else if constexpr (std::same_as<T, Uuid> || kIsId<T>) {
    append_json_string(out, value.to_string());
  } else if constexpr (kIsOptional<T> || kIsPatch<T>) {
    if (value.has_value()) {
      append(out, value.value());
    } else {
      out += "null";
    }
  } else if constexpr (kIsVector<T>) {
    detail::append_array(out, value);
  } else if constexpr (kIsMap<T>) {
    detail::append_map(out, value);
  } else if constexpr (DescribedEnum<T>) {
    detail::append_enum(out, value);
  } else if constexpr (DescribedStruct<T>) {
    detail::append_struct(out, value);
  } else {
    static_assert(kUnsupported<T>, "describe the type (BOOST_DESCRIBE_STRUCT) or give it a Codec");
  }
}

/// `append` into a new string.
template <class T>
std::string write(const T& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace ekiden::json
