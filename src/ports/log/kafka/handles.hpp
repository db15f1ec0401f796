#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "base/logger.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "ports/log/kafka/kafka_log.hpp"
#include "ports/log/log.hpp"

/// Owners for librdkafka's C objects, and its errors in our words.
namespace ekiden::log::kafka {

template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};

using Conf = std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_destroy>>;
using Client = std::unique_ptr<rd_kafka_t, Destroy<rd_kafka_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;
using List = std::unique_ptr<rd_kafka_topic_partition_list_t, Destroy<rd_kafka_topic_partition_list_destroy>>;
using RawMessage = std::unique_ptr<rd_kafka_message_t, Destroy<rd_kafka_message_destroy>>;
using RawError = std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>>;

inline int millis(std::chrono::milliseconds span) {
  return static_cast<int>(span.count());
}

/// Names on the brokers: ours behind the prefix.
class Names {
 public:
  explicit Names(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string outside(std::string_view ours) const { return prefix_ + std::string(ours); }
  /// nullopt: it is none of ours.
  std::optional<std::string> inside(std::string_view theirs) const;

 private:
  const std::string prefix_;
};

/// A list with `partitions` at `offset` each.
List list_of(const Names& names, const std::vector<TopicPartition>& partitions,
             std::int64_t offset = RD_KAFKA_OFFSET_INVALID);

/// What the caller of a port should make of librdkafka's error. `what` is "the topics could not be read".
Error error_of(rd_kafka_resp_err_t code, std::string_view what);

class Owner;

/// What a client's callbacks are handed: the way to its owner, who may have abandoned it.
struct Link {
  Mutex mutex;
  Owner* owner EKIDEN_GUARDED_BY(mutex) = nullptr;
};

/// Whoever owns a client, as its callbacks see it. Log lines come on the client's threads, the rest on the
/// thread that polls.
class Owner {
 public:
  explicit Owner(const Logger& logger);
  virtual ~Owner() = default;
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

  const Logger& logger() const { return logger_; }
  /// The client as a whole has met something: no broker answers, or it is unfit for further use (`_FATAL`).
  virtual void on_error(rd_kafka_resp_err_t, std::string_view) {}
  virtual void on_delivery(const rd_kafka_message_t&) {}
  virtual void on_rebalance(rd_kafka_resp_err_t, const rd_kafka_topic_partition_list_t&) {}
  virtual void on_commit(rd_kafka_resp_err_t) {}

 protected:
  /// Lets a client that cannot be destroyed safely live, silently, until the process ends.
  void abandon(Client client);

 private:
  friend class ConfBuilder;

  const Logger& logger_;
  const std::shared_ptr<Link> link_;
};

/// Settings of one client, refused one by one.
class ConfBuilder {
 public:
  /// With what every client of `config` has: brokers, timeouts, callbacks to `owner`, who outlives the
  /// client.
  ConfBuilder(const KafkaConfig& config, Owner& owner);
  ConfBuilder& set(const char* name, const std::string& value);
  ConfBuilder& set(const char* name, std::int64_t value) { return set(name, std::to_string(value)); }
  /// So that rebalances and commits are told to the owner.
  ConfBuilder& for_consumer();
  /// So that deliveries are told to the owner, and partitions are chosen by `partition_of`.
  ConfBuilder& for_producer();
  /// @errors invalid: `field` names the first setting that was refused.
  Result<Client> build(rd_kafka_type_t type);

 private:
  const KafkaConfig& config_;
  Conf conf_;
  std::optional<Error> fault_;
};

}  // namespace ekiden::log::kafka
