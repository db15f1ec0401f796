#include "services/gamification/keeper.hpp"

#include <algorithm>

namespace ekiden::gamification {

namespace {

constexpr std::chrono::milliseconds kRound{500};
constexpr std::chrono::milliseconds kRoundAfterFaults{10'000};
constexpr std::chrono::seconds kLease{30};
constexpr std::chrono::seconds kRenewBefore{20};

void keep_first(Result<void>& first, Result<void> outcome) {
  if (first) first = std::move(outcome);
}

}  // namespace

Keeper::Keeper(sql::Database& db, ranking::Ranking& ranking, Projection& projection, std::string writer,
               const Clock& clock, const Logger& logger)
    : db_(db),
      ranking_(ranking),
      projection_(projection),
      writer_(std::move(writer)),
      clock_(clock),
      logger_(logger) {}

Keeper::~Keeper() {
  stop();
  if (!entered_) return;
  const Result<void> offered = projection_.tend();
  // Otherwise the lease ends by itself, and another process has the ranking rebuilt.
  if (!offered || projection_.unsettled() > 0 || projection_.is_behind()) return;
  const Result<void> left =
      db_.write([this](sql::Tx& tx) { return forget_writer(tx, {writer_, lease_end_}); });
  if (!left) logger_.warning("ranking_writer_not_left", {{"error", left.error().text()}});
}

Result<void> Keeper::enter() {
  if (!ranking_.is_shared()) return projection_.rebuild();
  EKIDEN_CHECK(renew());
  entered_ = true;
  if (const Result<void> whole = rebuild_where_needed(); !whole) {
    logger_.warning("ranking_not_ready", {{"error", whole.error().text()}});
  }
  return {};
}

Result<void> Keeper::renew() {
  const Timestamp now = clock_.now();
  if (lease_end_ - now > kRenewBefore) return {};
  const Timestamp until = now + kLease;
  EKIDEN_CHECK(db_.write([&](sql::Tx& tx) { return renew_writer(tx, writer_, until); }));
  lease_end_ = until;
  return {};
}

Result<std::vector<Writer>> Keeper::lost() {
  if (!ranking_.is_shared()) return std::vector<Writer>{};
  const Timestamp now = clock_.now();
  return db_.read([&](sql::Tx& tx) { return lost_writers(tx, now); });
}

Result<void> Keeper::rebuild_where_needed() {
  EKIDEN_TRY(const ranking::State state, ranking_.check());
  if (state == ranking::State::rebuilding) return {};
  EKIDEN_TRY(const std::vector<Writer> writers, lost());
  if (state == ranking::State::ready && !projection_.is_behind() && writers.empty()) return {};
  logger_.warning("ranking_rebuild_needed", {{"forgotten", state == ranking::State::forgotten},
                                             {"behind", projection_.is_behind()},
                                             {"writers_lost", writers.size()}});
  const Result<void> rebuilt = projection_.rebuild();
  if (!rebuilt && rebuilt.error().code() == Errc::busy) return {};
  EKIDEN_CHECK(rebuilt);
  // They ended before the boards were read, so all that they made durable is in them.
  return db_.write([&](sql::Tx& tx) -> Result<void> {
    for (const Writer& writer : writers) EKIDEN_CHECK(forget_writer(tx, writer));
    return {};
  });
}

Result<void> Keeper::tend() {
  Result<void> outcome;
  if (entered_) keep_first(outcome, renew());
  keep_first(outcome, projection_.tend());
  keep_first(outcome, rebuild_where_needed());
  return outcome;
}

void Keeper::start() {
  thread_ = std::make_unique<runtime::WorkerThread>(runtime::ExecutorLabel{"gamification", "ranking"},
                                                    [this](std::stop_token stop) { run(std::move(stop)); });
}

void Keeper::stop() {
  if (!thread_) return;
  thread_->request_stop();
  thread_->join();
  thread_.reset();
}

void Keeper::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);
    stopped_.notify_all();
  });
  std::chrono::milliseconds pause = kRound;
  while (!stop.stop_requested()) {
    const Result<void> outcome = tend();
    if (!outcome && pause == kRound) {
      logger_.warning("ranking_not_tended", {{"error", outcome.error().text()}});
    }
    pause = outcome ? kRound : std::min(2 * pause, kRoundAfterFaults);
    const Instant until = clock_.monotonic() + pause;
    const MutexLock lock(mutex_);
    while (!stop.stop_requested() && stopped_.wait_until(mutex_, until)) continue;
  }
}

}  // namespace ekiden::gamification
