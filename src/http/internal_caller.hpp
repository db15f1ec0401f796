#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/message.hpp"

/// How a gateway tells a service who asks, in a form that nobody without the cluster's secret can make.
///
/// The header `X-Internal-Caller` holds, separated by `|`: version, wall time in milliseconds, client
/// address, user id, role, session id, `session` or `key`, scopes separated by commas, and the base64url of
/// an HMAC-SHA256 over a prefix, the verb, the target and all of these. It is good for this verb and target,
/// and for as long as clocks may differ.
namespace ekiden::http {

constexpr std::string_view kInternalCallerHeader = "X-Internal-Caller";

/// The cluster's secret, and the one that it has replaced: while both are known, processes may be restarted
/// one by one. 32 random bytes each; `previous` may be empty.
struct ClusterSecret {
  std::string current;
  std::string previous;
};

/// On whose behalf a part of Ekiden calls another.
struct InternalCaller {
  std::optional<Identity> identity;
  std::string client_address;  ///< may be empty: on its own behalf
};

/// Makes the header. @threads any
class CallSigner {
 public:
  explicit CallSigner(const ClusterSecret& secret);
  ~CallSigner();
  CallSigner(CallSigner&&) noexcept;

  /// @param target as it will be sent: path and query.
  std::string sign(Verb verb, std::string_view target, const std::optional<Identity>& identity,
                   std::string_view client_address, Timestamp now) const;

 private:
  struct Key;
  std::unique_ptr<const Key> key_;
};

/// Checks the header. @threads any
class CallVerifier {
 public:
  /// @param skew how far the clocks of two machines may differ.
  CallVerifier(const ClusterSecret& secret, std::chrono::milliseconds skew);
  ~CallVerifier();
  CallVerifier(CallVerifier&&) noexcept;

  /// @errors unauthenticated `not-from-here`, the same for every reason.
  Result<InternalCaller> verify(Verb verb, std::string_view target, std::string_view header,
                                Timestamp now) const;

 private:
  struct Keys;
  std::unique_ptr<const Keys> keys_;
  std::chrono::milliseconds skew_;
};

}  // namespace ekiden::http
