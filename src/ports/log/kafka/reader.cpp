#include "ports/log/kafka/reader.hpp"

#include <algorithm>
#include <utility>

#include "ports/log/kafka/consumer.hpp"

namespace ekiden::log::kafka {

Result<void> Reader::connect() {
  if (client_) return {};
  constexpr std::int64_t kReadAheadKibi = 4'096;
  ConfBuilder conf(config_, *this);
  conf.set("group.id", names_.outside("#reader"))  // asked for by the client; nothing is committed
      .set("enable.auto.commit", "false")
      .set("enable.partition.eof", "true")
      .set("auto.offset.reset", "earliest")
      .set("queued.max.messages.kbytes", kReadAheadKibi)
      // The next read waits behind a fetch at a partition's end that is still out: half a second by default.
      .set("fetch.wait.max.ms", 10)
      .set("fetch.error.backoff.ms", 100);
  EKIDEN_TRY(client_, conf.build(RD_KAFKA_CONSUMER));
  rd_kafka_poll_set_consumer(client_.get());
  return {};
}

Result<std::vector<Record>> Reader::read(const TopicPartition& at, std::int64_t from, std::int64_t end,
                                         std::size_t max) {
  const MutexLock lock(mutex_);
  EKIDEN_CHECK(connect());
  std::vector<Record> records;
  auto code = rd_kafka_assign(client_.get(), list_of(names_, {at}, from).get());
  const Instant until = clock_.monotonic() + config_.request_timeout;
  std::int64_t next = from;
  while (code == RD_KAFKA_RESP_ERR_NO_ERROR && records.size() < max && next < end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.monotonic());
    const RawMessage message(rd_kafka_consumer_poll(client_.get(), std::max(0, millis(left))));
    if (!message) {
      code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      break;
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      code = message->err;
    } else {
      next = message->offset + 1;
      records.push_back(record_of(*message, at.topic));
    }
  }
  rd_kafka_assign(client_.get(), nullptr);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR && records.empty()) {
    return error_of(code, "the partition could not be read");
  }
  return records;
}

}  // namespace ekiden::log::kafka
