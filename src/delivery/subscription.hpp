#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "delivery/event.hpp"
#include "delivery/retry.hpp"
#include "ports/sql/sql.hpp"
#include "runtime/task.hpp"

namespace ekiden::delivery {

/// Applies one event inside the transaction that also writes its inbox row. It can neither commit nor
/// acknowledge; an event it does not care about is `return {}`.
/// @errors retryable codes are tried again with backoff; any other, and retries used up, make it a dead
/// letter.
using ApplyInTx = std::function<Result<void>(sql::Tx&, const Envelope&)>;
/// For slow calls outside: many keys at once, one event of a key at a time. The handler keeps its own guard
/// (a claim).
using ApplyOutside = std::function<runtime::Task<Result<void>>(Envelope)>;

/// What several events come to together, in their order, after `ApplyInTx` has taken each of them, in the
/// same transaction: so that what many of them change is written once. Where it fails, each is tried alone.
using ApplyTogether = std::function<Result<void>(sql::Tx&, const std::vector<const Envelope*>&)>;

/// Many events in one transaction; an event that fails is rolled back with its batch and then tried alone.
struct Batched {
  ApplyInTx apply;
  std::size_t batch_max = 256;
  ApplyTogether together{};  ///< none: `apply` does it all
};
struct Keyed {
  ApplyOutside apply;
  std::size_t keys_max = 256;  ///< events in work at once
};

/// What becomes of the events behind a dead letter that have its key.
enum class AfterDeath : std::uint8_t {
  go_on,
  wait,  ///< parked in the reader's database until the dead letter has been replayed, then applied in order
};

/// One row of a service's consumers: which events it takes and how.
struct Subscription {
  std::string_view group;               ///< `gamification.boards`
  std::string_view topic;               ///< `workouts`
  std::vector<std::string_view> types;  ///< handled types; others of the topic are passed over
  std::variant<Batched, Keyed> apply;
  AfterDeath after_death = AfterDeath::go_on;
  /// Events of one subject are applied in `sequence` order; early ones are parked. A subject whose first
  /// events the log had dropped before this group could read them begins where they begin now.
  bool in_sequence = false;
  /// in_sequence: types after which a subject has no more events; what is kept of its order goes then.
  std::vector<std::string_view> last_types{};
  RetryPolicy retry{};
  std::size_t prefetch = 1024;  ///< events taken and not finished, per partition: the high mark
  /// Called after the transaction of a batch has become durable, with the events that were new: for
  /// projections outside SQL that can be rebuilt (the ranking). An error is logged, counted, and asks for a
  /// rebuild.
  std::function<Result<void>(const std::vector<Envelope>&)> after_commit{};
};

}  // namespace ekiden::delivery
