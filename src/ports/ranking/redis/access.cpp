#include "ports/ranking/redis/access.hpp"

#include "ports/ranking/redis/scripts.hpp"

namespace ekiden::ranking {

Error odd_answer() {
  return {Errc::internal, "redis-odd-answer", "the ranking's keys in Redis hold something that is not ours"};
}

redis::ScriptCall Access::call(const redis::Script& script) const {
  redis::ScriptCall call(script);
  call.add(config_.prefix);
  return call;
}

Result<std::string> Access::server() const {
  std::string server = client_.server();
  if (server.empty()) return Error{Errc::unavailable, "redis-away", "Redis cannot be reached at the moment"};
  return server;
}

Result<std::vector<redis::Reply>> Access::run_on(const std::string& server, redis::ScriptCall call) const {
  auto reply = client_.run(std::move(call), {.server = server});
  if (!reply) {
    if (reply.error().code() != Errc::conflict) return std::move(reply).error();
    return Error{Errc::unavailable, reply.error().slug(), reply.error().text()};
  }
  if (reply->type == redis::Reply::Type::integer) return std::vector<redis::Reply>{*std::move(reply)};
  return std::move(reply->items);
}

Result<std::vector<redis::Reply>> Access::read(redis::ScriptCall call) const {
  EKIDEN_TRY(const std::string at, server());
  EKIDEN_TRY(std::vector<redis::Reply> answer, run_on(at, std::move(call)));
  if (answer.size() < 2) return odd_answer();
  note(at, answer);
  return answer;
}

State Access::note(const std::string& server, const std::vector<redis::Reply>& answer) const {
  State state = State::forgotten;
  const MutexLock lock(mutex_);
  if (answer[0].text.starts_with(server + " ")) {
    state = State::ready;
    mark_ = answer[0].text;
  } else if (answer[1].integer == 1) {
    state = State::rebuilding;
  }
  state_ = state;
  return state;
}

std::string Access::mark(const std::string& server) const {
  const MutexLock lock(mutex_);
  return mark_.starts_with(server + " ") ? mark_ : std::string();
}

}  // namespace ekiden::ranking
