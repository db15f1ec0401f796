#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ports/log/kafka/admin.hpp"
#include "ports/log/kafka/bell.hpp"
#include "ports/log/kafka/holdings.hpp"

namespace ekiden::log::kafka {

class Members;

/// What all members of a log work with; it outlives them.
struct ConsumerParts {
  const KafkaConfig& config;
  const Clock& clock;
  const Logger& logger;
  const Admin& admin;
  Members& members;
};

/// Name of the group that holds what members of `group` are still to be moved to: nobody joins it, so that
/// anyone may set its offsets, and every member looks there.
std::string resets_of(const std::string& group);

Record record_of(const rd_kafka_message_t& message, std::string topic);

/// A member of a group.
///
/// Offsets: stored ones are committed by the client itself, at intervals and when a partition is given up. It
/// is never told to commit while a rebalance may be going on: librdkafka before 2.10 would then drop the
/// whole assignment. Starts: the client reads what is committed. Where there is nothing, or it is not in the
/// log any more, the client says so, and `place` looks where to go on. Waiting: the client's queues ring one
/// bell, `wake` another; `poll` serves everything that is there, then waits for both.
class KafkaConsumer final : public Consumer, private Owner {
 public:
  /// @param latest where partitions start that the group has nothing committed for; others start at their
  /// beginning
  static Result<std::unique_ptr<KafkaConsumer>> make(ConsumerParts parts, ConsumerConfig config,
                                                     std::map<TopicPartition, std::int64_t> latest,
                                                     RebalanceListener& listener);
  ~KafkaConsumer() override;

  Result<std::vector<Record>> poll(std::size_t max, Duration timeout) override;
  void pause(const std::vector<TopicPartition>& partitions) override;
  void resume(const std::vector<TopicPartition>& partitions) override;
  Result<void> store(const TopicPartition& at, CommittedOffset next) override;
  void wake() override { woken_.ring(); }
  Result<void> close() override;

  const ConsumerConfig& config() const { return settings_; }
  /// Another member of its name has come: what it stores is refused, its next `poll` ends it. @threads any
  void fence();
  /// Makes it look for resets. @threads any
  void look_soon();

 private:
  KafkaConsumer(ConsumerParts parts, ConsumerConfig config, std::map<TopicPartition, std::int64_t> latest,
                RebalanceListener& listener);

  Result<void> connect();
  void on_error(rd_kafka_resp_err_t code, std::string_view reason) override;
  void on_rebalance(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t& list) override;
  void on_commit(rd_kafka_resp_err_t code) override;

  std::vector<TopicPartition> ours(const rd_kafka_topic_partition_list_t& list) const;
  void assigned(const rd_kafka_topic_partition_list_t& list);
  void given_up(const rd_kafka_topic_partition_list_t& list, bool is_lost);
  void forget(const std::vector<TopicPartition>& partitions);
  /// True where the group has been left.
  bool leave();

  Result<void> end_if_fenced();
  void serve(std::size_t max);
  void take(const rd_kafka_message_t& message, bool has_room);
  void failed(const rd_kafka_message_t& message);
  /// Waits for the bells or for `until`; false where there is no reason to serve again.
  bool wait(Instant until);

  void place();
  /// Goes on with partitions that it has at these offsets.
  bool start_at(const std::map<TopicPartition, std::int64_t>& targets);
  std::int64_t start_of(const TopicPartition& at, const Marks& marks, const Bounds& bounds);

  void look_for_resets();
  void read_answers();
  void follow(const TopicPartition& at, const Mark& reset);
  void followed(rd_kafka_event_t& answer);

  const ConsumerParts parts_;
  const ConsumerConfig settings_;
  const std::string group_;  ///< as the brokers know it
  const std::map<TopicPartition, std::int64_t> latest_;
  RebalanceListener& listener_;
  const Names& names_;
  const Bell served_;
  const Bell woken_;
  Client client_;
  Queue queue_;    ///< records and callbacks
  Queue answers_;  ///< to our own requests
  Holdings holdings_;
  Mutex client_mutex_;  ///< keeps the client while another thread stores
  bool is_closed_ EKIDEN_GUARDED_BY(client_mutex_) = false;
  std::atomic<bool> looks_soon_ = false;
  std::atomic<Instant> served_at_;  ///< silent for longer than its session, it is taken for lost

  // The polling thread's own.
  bool is_leaving_ = false;
  bool was_assigned_ = false;  ///< once at least
  std::vector<Record> batch_;
  std::deque<Error> errors_;
  std::set<TopicPartition> unplaced_;
  Instant place_again_{};
  Instant next_look_{};
  bool is_looking_ = false;
  bool looks_again_ = false;
  std::map<TopicPartition, Mark> moving_;           ///< committed when the answer comes
  std::map<TopicPartition, std::string> followed_;  ///< the last reset that was followed, by its note
  rd_kafka_resp_err_t last_commit_ = RD_KAFKA_RESP_ERR_NO_ERROR;
};

/// The members that live in this process, so that they hear of one another and of resets at once.
/// @threads any
class Members {
 public:
  /// Fences an earlier member of the same name in the group.
  void add(KafkaConsumer& member) EKIDEN_EXCLUDES(mutex_);
  void remove(KafkaConsumer& member) EKIDEN_EXCLUDES(mutex_);
  void look_soon(std::string_view group) EKIDEN_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::set<KafkaConsumer*> members_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::log::kafka
