#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace ekiden::http {

/// 32 bytes.
std::string sha256(std::string_view data);

/// SHA-256 of what comes in pieces. @threads one at a time
class Sha256 {
 public:
  /// @throws std::runtime_error where OpenSSL does not work.
  Sha256();
  void add(std::string_view piece);
  /// 32 bytes, of all that was added since the last call.
  std::string take();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// 32 bytes. @param key any length; 32 random bytes are right.
std::string hmac_sha256(std::string_view key, std::string_view data);
/// Compares in a time that depends on the lengths alone.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// Without padding. @source RFC 4648 5
std::string to_base64url(std::string_view bytes);
/// Takes only what to_base64url() writes: no padding, no spare bits.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace ekiden::http
