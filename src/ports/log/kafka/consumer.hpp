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
#include "ports/log/kafka/group_offsets.hpp"
#include "ports/log/kafka/holdings.hpp"

namespace ekiden::log::kafka {

class Members;

/// What all members of a log work with; it outlives them.
struct ConsumerParts {
  const KafkaConfig& config;
  const Clock& clock;
  const Logger& logger;
  const Admin& admin;
  GroupOffsets& offsets;
  Members& members;
};

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
  /// Moves a partition that it has. @threads any @returns false where it has not
  bool reset(const TopicPartition& at, CommittedOffset to) EKIDEN_EXCLUDES(resets_mutex_);

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
  bool is_silent() const;
  void serve(std::size_t max);
  void take(const rd_kafka_message_t& message, bool has_room);
  void failed(const rd_kafka_message_t& message);
  /// Waits for the bells or for `until`; false where there is no reason to serve again.
  bool wait(Instant until);

  void place();
  /// Goes on with partitions that it has at these offsets.
  bool start_at(const std::map<TopicPartition, std::int64_t>& targets);
  std::int64_t start_of(const TopicPartition& at, const Marks& marks, const Bounds& bounds);

  void follow_resets() EKIDEN_EXCLUDES(resets_mutex_);
  void follow(const TopicPartition& at, std::int64_t to);
  void read_answers() EKIDEN_EXCLUDES(resets_mutex_);

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
  Mutex resets_mutex_;
  Marks resets_ EKIDEN_GUARDED_BY(resets_mutex_);  ///< to be followed
  std::atomic<Instant> served_at_;  ///< silent for longer than its session, it is taken for lost

  // The polling thread's own.
  bool is_leaving_ = false;
  bool was_silent_ = false;    ///< before this poll, for longer than its session
  bool was_assigned_ = false;  ///< once at least
  std::vector<Record> batch_;
  std::deque<Error> errors_;
  std::set<TopicPartition> unplaced_;
  Instant place_again_{};
  std::set<TopicPartition> lost_;  ///< still to be told
  Instant broken_at_{};
  Instant told_outage_at_{};
  Instant reset_again_{};
  Marks moving_;  ///< resets that are being committed
  rd_kafka_resp_err_t last_commit_ = RD_KAFKA_RESP_ERR_NO_ERROR;
};

/// The members that live in this process, so that they hear of one another and of resets.
/// @threads any
class Members {
 public:
  /// Fences an earlier member of the same name in the group.
  void add(KafkaConsumer& member) EKIDEN_EXCLUDES(mutex_);
  void remove(KafkaConsumer& member) EKIDEN_EXCLUDES(mutex_);
  /// True where one of them has the partition and will move it.
  bool reset(std::string_view group, const TopicPartition& at, CommittedOffset to) EKIDEN_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::set<KafkaConsumer*> members_ EKIDEN_GUARDED_BY(mutex_);
};

}  // namespace ekiden::log::kafka
