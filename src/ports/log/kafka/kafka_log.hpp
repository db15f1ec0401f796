#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/logger.hpp"
#include "base/result.hpp"
#include "ports/log/log.hpp"

namespace ekiden::log {

struct KafkaConfig {
  std::string brokers{};  ///< host:port, several with commas between
  /// Put before the name of every topic and group, so that installations can share brokers. [a-z0-9._-], at
  /// most 60 bytes.
  std::string prefix{};
  int replication = -1;                      ///< of topics that are made here; -1: as the brokers have it set
  std::string compression = "lz4";           ///< none, gzip, snappy, lz4, zstd
  std::size_t queue_max = 65'536;            ///< messages that wait to be sent or acknowledged
  std::size_t queue_bytes_max = 64U << 20U;  ///< and their bytes
  std::chrono::milliseconds linger{1};       ///< a message waits so long for others to go with it
  std::chrono::milliseconds send_timeout{30'000};     ///< then it has failed, unknown whether it was appended
  std::chrono::milliseconds request_timeout{10'000};  ///< for topics, groups and offsets
  std::chrono::milliseconds close_timeout{10'000};    ///< for what is queued, and for leaving a group
  std::chrono::milliseconds commit_every{200};        ///< stored offsets are committed so soon
  std::chrono::milliseconds heartbeat{1'000};         ///< members hear of a rebalance so soon
  std::chrono::milliseconds look_every{5'000};        ///< for partitions and resets that other processes made
  std::size_t fetch_bytes_max = 8U << 20U;            ///< read ahead by one consumer
  /// Given to librdkafka as they are: `security.protocol`, `sasl.username`, … They win over the above.
  std::vector<std::pair<std::string, std::string>> properties{};
};

/// A log on Kafka brokers. Made without connecting: what needs the brokers answers `unavailable` while they
/// are away, and goes on by itself when they are back. What differs from the port's words:
/// - `enforce_retention` is the brokers' work: it does nothing and answers 0;
/// - `reset` is a `conflict` while the partition belongs to a member in another process: stop that one first.
/// A named
///   member that was closed keeps its place until its session ends. A reset that meets a rebalance can be
///   lost (logged);
/// - `close` of a member waits for its first assignment: `close_timeout`, or its session and two seconds.
/// @param clock its monotonic time must be the machine's: waiting is done by it.
/// The log outlives its consumers and producers; its destructor sends what is queued.
/// @errors invalid `field` names the setting.
Result<std::unique_ptr<Log>> make_kafka_log(KafkaConfig config, const Clock& clock, Logger logger);

}  // namespace ekiden::log
