#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.hpp"
#include "ports/log/log.hpp"

/// The limits that every adapter of the log keeps, in one place so that they refuse alike.
namespace ekiden::log {

constexpr std::size_t kNameBytesMax = 100;
constexpr std::size_t kKeyBytesMax = 4 * 1024;
constexpr std::size_t kValueBytesMax = 1024 * 1024;
constexpr std::size_t kHeadersMax = 64;
constexpr std::size_t kHeaderBytesMax = 8 * 1024;  ///< names and values together
constexpr std::int32_t kPartitionsMax = 1024;

/// True for 1 to 100 bytes of [a-z0-9._-].
bool is_valid_name(std::string_view name);

/// Sizes and header names of a message; whether its topic exists is the adapter's to say.
/// @errors invalid: `field` names what is too large or badly named.
Result<void> check(const Message& message);

/// @errors invalid: `field` names what is out of bounds.
Result<void> check(const TopicConfig& topic);

/// @errors invalid: `field` names what is out of bounds. `member` may be empty, but is otherwise a name.
Result<void> check(const ConsumerConfig& config);

}  // namespace ekiden::log
