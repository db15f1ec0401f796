#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "ports/redis_client/client.hpp"

namespace ekiden::redis {

/// What has been asked and not been answered, in the order in which it goes over the wire, and the bytes that
/// are still to be written. No I/O in here.
/// @threads any
class CallQueue {
 public:
  CallQueue(const ClientConfig& config, const Clock& clock) : config_(config), clock_(clock) {}

  struct Call {
    Instant deadline;
    Client::Done done;  ///< empty once the caller has been told that time is up
    std::size_t bytes = 0;
    std::optional<ScriptCall> script{};  ///< to be sent whole where the server does not know it
  };
  struct Entered {
    std::optional<Error> refused{};
    bool must_flush = false;           ///< bytes wait and nobody writes
    std::optional<Instant> look_at{};  ///< the timer is set for later than this
  };

  /// `write(call, out)` appends the command to the buffer. A refused call keeps its `done`.
  template <class Write>
  Entered enter(Call& call, const CallOptions& options, const Write& write) EKIDEN_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    call.deadline =
        clock_.monotonic() + (options.timeout.count() > 0 ? options.timeout : config_.call_timeout);
    Entered entered{.refused = reason_against(call, options)};
    if (entered.refused) {
      ++figures_.refused;
      return entered;
    }
    write(std::as_const(call), out_);
    bytes_ += call.bytes;
    if (call.deadline < look_at_) entered.look_at = look_at_ = call.deadline;
    calls_.push_back(std::move(call));
    entered.must_flush = !std::exchange(writing_, true);
    return entered;
  }

  /// What is to be written next, into `out`. False where nothing waits: the next call says `must_flush`.
  bool take_bytes(std::string& out) EKIDEN_EXCLUDES(mutex_);
  /// The call that the next answer belongs to. nullopt: nobody asked.
  std::optional<Call> take_answered() EKIDEN_EXCLUDES(mutex_);

  struct Overdue {
    std::vector<Client::Done> done;  ///< callers whose time is up
    Instant look_at = Instant::max();
    bool is_silent = false;  ///< the oldest call is overdue by `silence_max`: give the connection up
  };
  /// The places of what is overdue stay: their answers still come.
  Overdue take_overdue() EKIDEN_EXCLUDES(mutex_);

  void open(std::string server) EKIDEN_EXCLUDES(mutex_);
  /// Nothing enters any more. @returns those who wait.
  std::vector<Client::Done> close() EKIDEN_EXCLUDES(mutex_);

  std::string server() const EKIDEN_EXCLUDES(mutex_);
  bool wait_until_open(Instant until) const EKIDEN_EXCLUDES(mutex_);
  ClientFigures figures() const EKIDEN_EXCLUDES(mutex_);

 private:
  std::optional<Error> reason_against(const Call& call, const CallOptions& options) const
      EKIDEN_REQUIRES(mutex_);

  const ClientConfig& config_;
  const Clock& clock_;
  mutable Mutex mutex_;
  mutable CondVar opened_;
  std::string out_ EKIDEN_GUARDED_BY(mutex_);
  std::deque<Call> calls_ EKIDEN_GUARDED_BY(mutex_);
  std::size_t bytes_ EKIDEN_GUARDED_BY(mutex_) = 0;
  bool writing_ EKIDEN_GUARDED_BY(mutex_) = false;
  bool open_ EKIDEN_GUARDED_BY(mutex_) = false;
  std::string server_ EKIDEN_GUARDED_BY(mutex_);
  Instant look_at_ EKIDEN_GUARDED_BY(mutex_) = Instant::max();
  ClientFigures figures_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::redis
