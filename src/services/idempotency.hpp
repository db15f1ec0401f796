#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "http/message.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::services {

/// Runs `create` once for each `Idempotency-Key` of a person: a second request with the same key and body
/// gets the first answer, byte for byte. Without the header it simply runs. Call it inside the transaction of
/// the effect.
/// @param who     whose key it is; nil for requests before anyone is signed in.
/// @param content what tells one request from another: the body, or hashes of a form's files. Empty:
/// `request.body`.
/// @errors what `create` answers (nothing is kept then); invalid `idempotency-key-reused`: the key came with
/// another
///         body before; invalid `bad-idempotency-key`: it is not 1 to 255 printable bytes; else as sql::Tx.
class IdempotentRequest {
 public:
  IdempotentRequest(const http::Request& request, UserId who, std::string_view content = {});

  /// The first answer, where there was one.
  Result<std::optional<http::Response>> begin(sql::Tx& tx) const;
  /// Keeps the answer that goes out.
  Result<void> finish(sql::Tx& tx, const http::Response& response, Timestamp now) const;

 private:
  std::optional<std::string> key_;
  std::string who_;
  std::string route_;
  std::string hash_;
};

/// An answer that holds a secret, and what is kept for a repeated request in its place: the same without it.
struct ShownOnce {
  http::Response now;
  http::Response later;
};

/// @param create returns Result<http::Response>, or Result<ShownOnce> where the answer holds a secret: that
/// is never kept.
template <class Create>
Result<http::Response> create_once(sql::Tx& tx, const http::Request& request, UserId who, Timestamp now,
                                   Create create, std::string_view content = {}) {
  const IdempotentRequest once(request, who, content);
  EKIDEN_TRY(std::optional<http::Response> first, once.begin(tx));
  if (first) return *std::move(first);
  auto made = create();
  if (!made) return std::move(made).error();
  if constexpr (std::is_same_v<decltype(made), Result<ShownOnce>>) {
    EKIDEN_CHECK(once.finish(tx, made->later, now));
    return std::move(made->now);
  } else {
    EKIDEN_CHECK(once.finish(tx, *made, now));
    return *std::move(made);
  }
}

}  // namespace ekiden::services
