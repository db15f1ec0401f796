#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/mutex.hpp"
#include "ports/log/kafka/admin.hpp"

namespace ekiden::log::kafka {

/// Sends messages for every producer of a log, by one idempotent client and a thread that serves its answers.
/// A client that has become unfit (the brokers lost what it remembers) is replaced: what was on its way fails
/// as `unavailable`, what comes later goes through the new one. @threads any
class Sender final : private Owner {
 public:
  static Result<std::unique_ptr<Sender>> make(const KafkaConfig& config, const Logger& logger);
  ~Sender() override { stop(); }

  /// As Producer::send. A message to a topic that is not known yet waits, in order, until the brokers have
  /// been asked.
  void send(Message message, Delivered done) EKIDEN_EXCLUDES(mutex_);
  /// Sends what is queued, answers everything and ends the thread. Later sends are refused as `unavailable`.
  void stop() EKIDEN_EXCLUDES(mutex_);
  /// Learns of topics that are new or have grown. Blocks.
  Result<void> look() EKIDEN_EXCLUDES(mutex_);
  /// Makes the client unfit, as lost state on the brokers does: for tests.
  void break_client() EKIDEN_EXCLUDES(mutex_);

 private:
  struct Waiting {
    Message message;
    Delivered done;
  };

  Sender(const KafkaConfig& config, const Logger& logger)
      : Owner(logger), config_(config), names_(config.prefix) {}

  Result<Client> make_client();
  void on_error(rd_kafka_resp_err_t code, std::string_view reason) override;
  void on_delivery(const rd_kafka_message_t& message) override;
  /// The error that `done` is still to be told.
  std::optional<Error> produce(const Message& message, Delivered& done) EKIDEN_REQUIRES(mutex_);
  void run();
  void ask_for_topics() EKIDEN_EXCLUDES(mutex_);
  void replace_client() EKIDEN_EXCLUDES(mutex_);
  std::shared_ptr<rd_kafka_t> client() const EKIDEN_EXCLUDES(mutex_);

  const KafkaConfig& config_;
  const Names names_;
  mutable Mutex mutex_;
  std::shared_ptr<rd_kafka_t> client_ EKIDEN_GUARDED_BY(mutex_);
  Catalog known_ EKIDEN_GUARDED_BY(mutex_);
  std::deque<Waiting> waiting_ EKIDEN_GUARDED_BY(mutex_);
  bool stopping_ EKIDEN_GUARDED_BY(mutex_) = false;
  std::atomic<bool> is_unfit_ = false;
  std::jthread thread_;
};

}  // namespace ekiden::log::kafka
