#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "ports/ranking/ranking.hpp"
#include "ports/ranking/redis/redis_ranking.hpp"

namespace ekiden::ranking {

/// Calls scripts on the server that is connected, and remembers what they say of the store's state.
/// @threads any; blocks for the network
class Access {
 public:
  Access(redis::Client& client, RedisRankingConfig config) : client_(client), config_(std::move(config)) {}

  const RedisRankingConfig& config() const { return config_; }
  redis::Client& client() const { return client_; }
  redis::ScriptCall call(const redis::Script& script) const;

  /// Run id of the server that is connected. @errors unavailable: none is.
  Result<std::string> server() const;
  /// Runs a script on that server alone. @errors as redis::Client::call, without conflict.
  Result<std::vector<redis::Reply>> run_on(const std::string& server, redis::ScriptCall call) const;
  /// The same on whichever is connected, for a script whose answer begins with the state.
  Result<std::vector<redis::Reply>> read(redis::ScriptCall call) const EKIDEN_EXCLUDES(mutex_);

  /// Takes the state out of an answer.
  State note(const std::string& server, const std::vector<redis::Reply>& answer) const
      EKIDEN_EXCLUDES(mutex_);
  void set_state(State state) const { state_ = state; }
  State state() const { return state_; }
  /// The ready mark as it was last seen of this server; empty where it was not.
  std::string mark(const std::string& server) const EKIDEN_EXCLUDES(mutex_);

 private:
  redis::Client& client_;
  const RedisRankingConfig config_;
  mutable Mutex mutex_;
  mutable std::string mark_ EKIDEN_GUARDED_BY(mutex_);
  mutable std::atomic<State> state_ = State::forgotten;
};

/// The answer was not what our scripts answer: somebody else writes to these keys.
Error odd_answer();

}  // namespace ekiden::ranking
