#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "delivery/outbox.hpp"
#include "delivery/retry.hpp"

namespace ekiden::delivery {

struct RelayLimits {
  std::size_t scan_max = 512;        ///< new rows asked for by one scan
  std::size_t held_max = 4096;       ///< rows in memory: waiting, in flight, or on the log and not marked
  std::size_t in_flight_max = 1024;  ///< sends without an answer
  std::size_t mark_max = 512;        ///< marked at once without waiting for more
  std::size_t skip_keys_max = 256;   ///< failing keys that a scan passes over
  std::chrono::milliseconds mark_delay{50};  ///< a crash before the mark repeats the event: inboxes drop it
  std::chrono::milliseconds scan_interval{1000};  ///< finds what no bell told of
  RetryPolicy retry{};  ///< its `attempts_max` does not apply: a row is never given up
};

/// What happened.
namespace relay_input {
struct Tick {};      ///< nothing but time
struct BellRang {};  ///< a transaction of this process has written events
struct Scanned {
  std::vector<OutboxRow> rows;
};
struct ScanFailed {};
struct Sent {
  EventId id;
};
struct SendFailed {
  EventId id;
};
struct Marked {};
struct MarkFailed {};
struct Stop {};  ///< sends and scans no more; what is in flight is awaited and marked
}  // namespace relay_input
using RelayInput = std::variant<relay_input::Tick, relay_input::BellRang, relay_input::Scanned,
                                relay_input::ScanFailed, relay_input::Sent, relay_input::SendFailed,
                                relay_input::Marked, relay_input::MarkFailed, relay_input::Stop>;

/// What to do now.
struct RelayActions {
  struct Scan {
    std::size_t limit = 0;
    std::vector<std::string> skip_keys;
  };
  std::vector<OutboxRow> send;  ///< in this order; each is answered by Sent or SendFailed
  std::optional<Scan> scan;     ///< answered by Scanned or ScanFailed
  std::vector<EventId> mark;    ///< not empty: answered by Marked or MarkFailed; never beside `scan`
};

/// The relay's decisions, without I/O. Promises:
/// - no row is lost: a scan always asks for the lowest unpublished rows, never for those beyond a cursor, so
/// a
///   row whose transaction commits late is found however low its position;
/// - the order of a key: a row is sent only after the one before it is acknowledged, and a row that failed
///   holds back its key (and no other) until it is through;
/// - a row is marked only after its acknowledgement.
/// Two relays may work on one outbox: each sends a row only after it has seen the row before it acknowledged
/// or marked, so the first copies on the log stand in order; later copies are duplicates that inboxes refuse.
/// @threads one at a time
class RelayMachine {
 public:
  RelayMachine(RelayLimits limits, Random& random) : limits_(limits), random_(random) {}

  RelayActions step(Instant now, RelayInput input);
  /// When `step` wants a Tick, if nothing else happens before.
  Instant next_wake() const;
  /// True when nothing is in flight and nothing waits to be marked.
  bool is_drained() const { return in_flight_ == 0 && unmarked_.empty() && marking_.empty(); }
  std::size_t held() const { return held_.size(); }
  std::size_t in_flight() const { return in_flight_; }

 private:
  enum class Work : std::uint8_t { none, scan, mark };
  struct Lane {
    std::deque<OutboxRow> waiting;  ///< the front is the one in flight, where `is_sent`
    bool is_sent = false;
    int failures = 0;
    Instant retry_at{};
  };

  void take(Instant now, relay_input::Tick) { wake_lanes(now); }
  void take(Instant, relay_input::BellRang) { scan_wanted_ = true; }
  void take(Instant now, relay_input::Scanned input);
  void take(Instant now, relay_input::ScanFailed);
  void take(Instant now, relay_input::Sent input);
  void take(Instant now, relay_input::SendFailed input);
  void take(Instant now, relay_input::Marked);
  void take(Instant now, relay_input::MarkFailed);
  void take(Instant, relay_input::Stop) { stopping_ = true; }

  void wake_lanes(Instant now);
  void send_ready(RelayActions& actions);
  void use_database(Instant now, RelayActions& actions);
  bool wants_mark(Instant now) const;
  bool wants_scan(Instant now) const;
  std::size_t scan_limit() const { return limits_.scan_max + held_.size(); }
  std::vector<std::string> failing_keys() const;
  void database_failed(Instant now);

  const RelayLimits limits_;
  Random& random_;
  std::unordered_map<std::string, Lane> lanes_;
  std::map<EventId, std::string> held_;  ///< every row in memory, with its key
  std::deque<std::string> ready_;        ///< keys whose front row may be sent
  std::multimap<Instant, std::string> retries_;
  std::vector<EventId> unmarked_;
  std::vector<EventId> marking_;
  std::size_t in_flight_ = 0;
  Work work_ = Work::none;
  Work last_work_ = Work::none;
  int database_failures_ = 0;
  Instant database_at_{};  ///< not before
  Instant first_unmarked_at_{};
  Instant next_scan_at_{};
  std::size_t scan_asked_ = 0;
  bool scan_wanted_ = true;
  bool stopping_ = false;
};

}  // namespace ekiden::delivery
