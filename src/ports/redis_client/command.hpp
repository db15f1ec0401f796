#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace ekiden::redis {

/// A command and its arguments, as they go over the wire. Arguments are any bytes.
class Command {
 public:
  explicit Command(std::string_view name) { add(name); }
  Command(std::initializer_list<std::string_view> words) {
    for (const std::string_view word : words) add(word);
  }

  Command& add(std::string_view argument);
  Command& add(std::integral auto number) { return add(std::string_view(std::to_string(number))); }
  void reserve(std::size_t bytes) { arguments_.reserve(bytes); }

  std::size_t count() const { return count_; }
  std::size_t bytes() const { return arguments_.size() + 16; }
  /// Appends `first` words and then this command's own to `out`.
  void write(std::string& out, std::initializer_list<std::string_view> first = {}) const;

 private:
  friend class ScriptCall;
  Command() = default;

  std::string arguments_;
  std::size_t count_ = 0;
};

/// A Lua script; the server knows it by its digest once it has seen it.
class Script {
 public:
  explicit Script(std::string text);
  const std::string& text() const { return text_; }
  const std::string& digest() const { return digest_; }  ///< SHA-1 in hexadecimal

 private:
  std::string text_;
  std::string digest_;
};

/// Arguments of a script, none of them declared as a key: what runs here is one server, not a Redis Cluster.
/// The script outlives the call.
class ScriptCall {
 public:
  explicit ScriptCall(const Script& script) : script_(&script) {}
  ScriptCall& add(std::string_view argument) {
    arguments_.add(argument);
    return *this;
  }
  ScriptCall& add(std::integral auto number) {
    arguments_.add(number);
    return *this;
  }
  void reserve(std::size_t bytes) { arguments_.reserve(bytes); }
  std::size_t bytes() const { return arguments_.bytes() + 64; }

  void write_by_digest(std::string& out) const { arguments_.write(out, {"EVALSHA", script_->digest(), "0"}); }
  void write_whole(std::string& out) const { arguments_.write(out, {"EVAL", script_->text(), "0"}); }

 private:
  const Script* script_;
  Command arguments_;
};

}  // namespace ekiden::redis
