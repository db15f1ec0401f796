#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "ports/ranking/redis/access.hpp"

namespace ekiden::ranking {

/// One rebuild: takes the right to it, loads a new generation beside the one that is shown, and puts it in
/// its place. Until `finish` has answered, the destructor gives the rebuild up and the store counts as
/// forgotten.
/// @threads one; blocks for the network
class Rebuild final : public Loader {
 public:
  Rebuild(const Access& access, Random& random, const Clock& clock);
  ~Rebuild() override;
  Rebuild(const Rebuild&) = delete;
  Rebuild& operator=(const Rebuild&) = delete;

  /// From here on nobody applies anything. @errors busy: another has the right.
  Result<void> begin();
  void restart() override;
  Result<void> put(Board board) override;
  Result<void> mark_applied(const std::vector<EventId>& events) override;
  Result<void> finish();

 private:
  std::string new_generation();
  /// Runs a step, again where its answer was lost: every step may be repeated.
  Result<std::vector<redis::Reply>> step(const std::function<redis::ScriptCall()>& make);
  Result<void> held_step(const std::function<redis::ScriptCall()>& make);
  Result<void> forget(const std::string& generation);

  const Access& access_;
  Random& random_;
  const Clock& clock_;
  std::string server_;      ///< the run of the server that all this is about
  std::string token_;       ///< the right to rebuild
  std::string generation_;  ///< that is being loaded
  std::vector<std::string> left_over_;
  std::vector<std::string> put_;  ///< names, sorted
  bool begun_ = false;
  bool finished_ = false;
};

}  // namespace ekiden::ranking
