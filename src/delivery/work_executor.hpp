#pragma once

#include <functional>
#include <string_view>

#include "delivery/runner_types.hpp"
#include "delivery/subscription.hpp"
#include "ports/sql/sql.hpp"

namespace ekiden::delivery {

/// Whether a group takes part in an event: it handles the type, or has to count it in its subject's sequence.
bool is_handled(const Subscription& subscription, const Arrived& arrived);

/// Does a runner's Work, each in one transaction: claims ids in the inbox, keeps sequences, parks, calls
/// batched handlers, writes dead letters. @threads one at a time; blocks
class WorkExecutor {
 public:
  /// @param wake_relay called after a dead letter was written to the outbox; never blocks.
  WorkExecutor(const Subscription& subscription, sql::Database& database, const Clock& clock,
               std::function<void()> wake_relay)
      : subscription_(subscription), database_(database), clock_(clock), wake_relay_(std::move(wake_relay)) {}

  WorkResult execute(const Work& work);

 private:
  const Subscription& subscription_;
  sql::Database& database_;
  const Clock& clock_;
  std::function<void()> wake_relay_;
};

}  // namespace ekiden::delivery
