#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <boost/mp11.hpp>

#include "base/clock.hpp"
#include "base/id.hpp"

namespace ekiden::json {

/// JSON that is written as it stands, and kept as text (numbers in their shortest form) where it is read.
struct RawJson {
  std::string text = "null";
  friend bool operator==(const RawJson&, const RawJson&) = default;
};

/// A member of a PATCH body: absent (leave as it is), null (clear) or a value (set).
template <class T>
class Patch {
 public:
  Patch() = default;
  Patch(T value) : present_(true), value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  static Patch null() {
    Patch patch;
    patch.present_ = true;
    return patch;
  }

  bool is_absent() const { return !present_; }
  bool is_null() const { return present_ && !value_; }
  bool has_value() const { return value_.has_value(); }
  const T& value() const { return value_.value(); }
  /// Changes `target` where the patch says so. Null makes it T{}.
  void apply_to(T& target) const {
    if (present_) target = value_.value_or(T{});
  }
  void apply_to(std::optional<T>& target) const {
    if (present_) target = value_;
  }
  friend bool operator==(const Patch&, const Patch&) = default;

 private:
  bool present_ = false;
  std::optional<T> value_;
};

/// A type with a form of its own specialises this: `static Result<void> read(T&, const Node&, const Path&)`,
/// `static void write(std::string&, const T&)`, `static void schema(std::string&)`.
template <class T>
struct Codec;

template <class T>
concept HasCodec = requires(std::string& out) { Codec<T>::schema(out); };

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsPatch = false;
template <class T>
inline constexpr bool kIsPatch<Patch<T>> = true;
template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsMap = false;
template <class T>
inline constexpr bool kIsMap<std::map<std::string, T>> = true;
template <class T>
inline constexpr bool kIsId = false;
template <class Tag>
inline constexpr bool kIsId<Id<Tag>> = true;

template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
template <class T>
concept DescribedStruct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

/// `static constexpr bool kJsonDefaults = true;` in a struct: its members may be absent and keep their
/// defaults.
template <class T>
concept HasDefaults = requires { requires T::kJsonDefaults; };
/// `static constexpr bool kJsonOmitNull = true;` in a struct: empty optionals are left out, not written as
/// null.
template <class T>
concept OmitsNull = requires { requires T::kJsonOmitNull; };

template <class T>
using MembersOf =
    boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

/// The name on the wire: one underscore at the end is dropped, so that `private_` stands for `private`.
constexpr std::string_view wire_name(std::string_view name) {
  if (name.size() > 1 && name.back() == '_') name.remove_suffix(1);
  return name;
}

template <class T>
inline constexpr bool kUnsupported = false;

}  // namespace ekiden::json
