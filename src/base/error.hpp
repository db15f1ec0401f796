#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ekiden {

/// What a caller should do about a failure. The edges (HTTP, dead letters, metrics) each map it in one
/// `switch`.
enum class Errc : std::uint8_t {
  malformed,              ///< The message itself could not be read (bad JSON, bad framing): do not repeat it.
  invalid,                ///< Understood, but a field is wrong: `Error::field` names it.
  unauthenticated,        ///< Nobody is signed in, or the token is not valid.
  forbidden,              ///< Signed in, but not allowed.
  not_found,              ///< There is no such thing, or the caller may not know of it.
  conflict,               ///< It collides with what is already there.
  gone,                   ///< It was there and will not come back.
  precondition_failed,    ///< `If-Match` names an older version: read again.
  precondition_required,  ///< `If-Match` is missing.
  too_large,              ///< Beyond a stated cap.
  unsupported,            ///< A media type, an encoding or a method that is not spoken here.
  limited,                ///< The caller's own budget is used up: later.
  storage_full,           ///< No room to keep it: nothing was written.
  busy,                   ///< A bounded queue is full: retry after a moment.
  timeout,                ///< The deadline passed; it may or may not have happened.
  unavailable,            ///< A part that is needed does not answer; it may or may not have happened.
  internal,               ///< A bug, or damaged data.
};

/// True where the same call may succeed later without anyone changing it.
constexpr bool is_retryable(Errc code) {
  switch (code) {
    case Errc::busy:
    case Errc::timeout:
    case Errc::unavailable:
    case Errc::limited:
    case Errc::storage_full:
      return true;
    case Errc::malformed:
    case Errc::invalid:
    case Errc::unauthenticated:
    case Errc::forbidden:
    case Errc::not_found:
    case Errc::conflict:
    case Errc::gone:
    case Errc::precondition_failed:
    case Errc::precondition_required:
    case Errc::too_large:
    case Errc::unsupported:
    case Errc::internal:
      return false;
  }
  return false;
}

/// The code's name as it stands in logs and metrics.
std::string_view to_string(Errc code);

/// A failure that a caller can meet. `text` says what is wrong and how to mend it, in one sentence for a
/// person; it holds no SQL, path, secret or stack.
class [[nodiscard]] Error {
 public:
  /// @param slug  stable, in kebab case (`unknown-field`); ends up in the problem's `type`,
  /// `urn:ekiden:<slug>`.
  /// @param field the input at fault as the caller knows it (`file`, `points[3].lat`), or empty.
  Error(Errc code, std::string slug, std::string text, std::string field = {})
      : code_(code), slug_(std::move(slug)), text_(std::move(text)), field_(std::move(field)) {}

  Errc code() const { return code_; }
  const std::string& slug() const { return slug_; }
  const std::string& text() const { return text_; }
  const std::string& field() const { return field_; }

  /// When the caller may try again; nullopt where nobody knows.
  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }
  /// `return Error{…}.with_retry_after(2s);`
  Error with_retry_after(std::chrono::seconds wait) && {
    retry_after_ = wait;
    return std::move(*this);
  }

  friend bool operator==(const Error&, const Error&) = default;

 private:
  Errc code_;
  std::string slug_;
  std::string text_;
  std::string field_;
  std::optional<std::chrono::seconds> retry_after_;
};

}  // namespace ekiden
