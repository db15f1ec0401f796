#pragma once

#include <concepts>
#include <limits>
#include <string>

#include "base/logger.hpp"
#include "json/types.hpp"
#include "json/write.hpp"

namespace ekiden::json {

template <class T>
void append_schema(std::string& out);

namespace detail {

template <std::integral T>
void append_integer_schema(std::string& out) {
  using Limits = std::numeric_limits<T>;
  if constexpr (sizeof(T) == 8 && std::signed_integral<T>) {
    out += R"({"type":"integer","format":"int64"})";
  } else {
    out += R"({"type":"integer","minimum":)";
    append(out, Limits::min());
    if constexpr (sizeof(T) < 8) {
      out += R"(,"maximum":)";
      append(out, Limits::max());
    }
    out += "}";
  }
}

template <DescribedEnum T>
void append_enum_schema(std::string& out) {
  std::vector<std::string_view> names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
      [&](auto enumerator) { names.push_back(wire_name(enumerator.name)); });
  out += R"({"type":"string","enum":)";
  append_array(out, names);
  out += "}";
}

template <DescribedStruct T>
void append_struct_schema(std::string& out) {
  std::vector<std::string_view> required;
  out += R"({"type":"object","additionalProperties":false,"properties":{)";
  bool first = true;
  boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
    using Member = std::remove_cvref_t<decltype(std::declval<T&>().*member.pointer)>;
    if (!first) out.push_back(',');
    first = false;
    append_json_string(out, wire_name(member.name));
    out.push_back(':');
    append_schema<Member>(out);
    if (!kIsOptional<Member> && !kIsPatch<Member> && !HasDefaults<T>)
      required.push_back(wire_name(member.name));
  });
  out += "}";
  if (!required.empty()) {
    out += R"(,"required":)";
    append_array(out, required);
  }
  out += "}";
}

template <class T>
struct Inner;
template <template <class...> class Wrapper, class T, class... Rest>
struct Inner<Wrapper<T, Rest...>> {
  using type = T;
};

}  // namespace detail

/// Appends the schema of what `append` writes and `read` accepts for T.
template <class T>
void append_schema(std::string& out) {
  if constexpr (HasCodec<T>) {
    Codec<T>::schema(out);
  } else if constexpr (std::same_as<T, bool>) {
    out += R"({"type":"boolean"})";
  } else if constexpr (std::floating_point<T>) {
    out += R"({"type":"number"})";
  } else if constexpr (std::integral<T>) {
    detail::append_integer_schema<T>(out);
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    out += R"({"type":"string"})";
  } else if constexpr (std::same_as<T, RawJson>) {
    out += "{}";
  } else if constexpr (std::same_as<T, Timestamp>) {
    out += R"({"type":"string","format":"date-time"})";
  } else if constexpr (std::same_as<T, Uuid> || kIsId<T>) {
    out += R"({"type":"string","format":"uuid"})";
  } else if constexpr (kIsOptional<T> || kIsPatch<T>) {
    out += R"({"anyOf":[)";
    append_schema<typename detail::Inner<T>::type>(out);
    out += R"(,{"type":"null"}]})";
  } else if constexpr (kIsVector<T>) {
    out += R"({"type":"array","items":)";
    append_schema<typename T::value_type>(out);
    out += "}";
  } else if constexpr (kIsMap<T>) {
    out += R"({"type":"object","additionalProperties":)";
    append_schema<typename T::mapped_type>(out);
    out += "}";
  } else if constexpr (DescribedEnum<T>) {
    detail::append_enum_schema<T>(out);
  } else if constexpr (DescribedStruct<T>) {
    detail::append_struct_schema<T>(out);
  } else {
    static_assert(kUnsupported<T>, "describe the type (BOOST_DESCRIBE_STRUCT) or give it a Codec");
  }
}

/// The JSON Schema (2020-12, as OpenAPI 3.1 embeds it) of T, as JSON text. `&schema_of<T>` fits RouteDoc.
template <class T>
std::string schema_of() {
  std::string out;
  append_schema<T>(out);
  return out;
}

}  // namespace ekiden::json
