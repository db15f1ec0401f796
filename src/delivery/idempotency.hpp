#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "ports/log/log.hpp"
#include "ports/sql/sql.hpp"

/// `Idempotency-Key`: one intent of a client has one effect and one answer. The answer is written in the
/// transaction of the effect, so there is never one without the other.
namespace ekiden::delivery::idempotency {

/// The client's intent.
struct Intent {
  std::string scope;         ///< who: the user's id, or the client's where nobody is signed in
  std::string key;           ///< the header's value, 1 to 255 bytes
  std::string route;         ///< `POST /api/v1/gear`
  std::string request_hash;  ///< of the body, bytes: tells another request under the same key
};

/// The answer as it goes out. Kept and given back byte for byte.
struct Answer {
  int status = 0;
  log::Headers headers;
  std::string body;
  friend bool operator==(const Answer&, const Answer&) = default;
};

struct Fresh {};  ///< never seen: do it, then `finish`
using Begun = std::variant<Fresh, Answer>;

/// First step of a creating request's transaction.
/// @errors invalid `idempotency-key-reused` (422): the key was used for another request.
///         Else as Tx::query.
Result<Begun> begin(sql::Tx& tx, const Intent& intent);

/// Last step: keeps the answer that the client will get. A request that is refused keeps nothing, so the
/// client may mend it and try again under the same key.
/// @errors conflict `idempotency-key-in-flight` (409): another process was first; nothing of this transaction
///         stays, and the client's next attempt gets the first answer. Else as Tx::execute.
Result<void> finish(sql::Tx& tx, const Intent& intent, const Answer& answer, Timestamp now);

/// Forgets answers older than `before` (24 hours are promised), at most `limit`.
/// @returns how many went.
Result<std::int64_t> prune(sql::Tx& tx, Timestamp before, std::size_t limit);

/// The keys that this process works on at this moment: a second request under one of them is refused instead
/// of waiting behind the first. Bounded. @threads any
class InFlightKeys {
 public:
  explicit InFlightKeys(std::size_t max) : max_(max) {}

  /// Holds the key until it is destroyed. Movable; outlived by the InFlightKeys.
  class Hold {
   public:
    Hold(Hold&& other) noexcept : keys_(std::exchange(other.keys_, nullptr)), key_(std::move(other.key_)) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (keys_ != nullptr) keys_->leave(key_);
    }

   private:
    friend class InFlightKeys;
    Hold(InFlightKeys* keys, std::pair<std::string, std::string> key) : keys_(keys), key_(std::move(key)) {}
    InFlightKeys* keys_;
    std::pair<std::string, std::string> key_;
  };

  /// @errors conflict `idempotency-key-in-flight` (409): a request under this key is being worked on.
  ///         busy `too-many-in-flight` (503): the set is full.
  Result<Hold> enter(std::string_view scope, std::string_view key) EKIDEN_EXCLUDES(mutex_);
  std::size_t size() const EKIDEN_EXCLUDES(mutex_);

 private:
  void leave(const std::pair<std::string, std::string>& key) EKIDEN_EXCLUDES(mutex_);

  const std::size_t max_;
  mutable Mutex mutex_;
  std::set<std::pair<std::string, std::string>> keys_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::delivery::idempotency
