#include "ports/log/sqlite/appender.hpp"

#include <algorithm>
#include <utility>

#include "ports/log/checks.hpp"

namespace ekiden::log::sqlite {
namespace {

std::size_t weight(const Message& message) {
  std::size_t bytes = sizeof(Message) + message.key.size() + message.value.size();
  for (const auto& [name, value] : message.headers) bytes += name.size() + value.size();
  return bytes;
}

}  // namespace

Appender::Appender(sql::Database& database, const SqliteLogConfig& config, const Clock& clock,
                   std::function<void(AppendedRecords)> appended)
    : database_(database), config_(config), clock_(clock), appended_(std::move(appended)) {}

Appender::~Appender() {
  close();
}

void Appender::set_catalog(CatalogPtr catalog) {
  const MutexLock lock(mutex_);
  catalog_ = std::move(catalog);
}

void Appender::send(Message message, Delivered done) {
  BatchPtr to_submit;
  Result<void> queued = check(message);
  if (queued) queued = enqueue(message, done, to_submit);
  if (!queued) {
    done(std::move(queued).error());
  } else if (to_submit) {
    submit(to_submit);
  }
}

Result<void> Appender::enqueue(Message& message, Delivered& done, BatchPtr& to_submit) {
  const MutexLock lock(mutex_);
  if (closed_) return Error{Errc::unavailable, "log-closed", "the log is being closed"};
  const CatalogTopic* topic = catalog_->topic(message.topic);
  if (topic == nullptr) return Error{Errc::invalid, "no-such-topic", "there is no such topic", "topic"};
  const std::size_t bytes = weight(message);
  if (queued_ >= config_.queue_max || queued_bytes_ + bytes > config_.queue_bytes_max) {
    return Error{Errc::busy, "log-busy", "the queue to the log is full: send again after a moment"};
  }
  const std::int32_t number = partition_of(message.key, topic->config.partitions);
  const PartitionId id = topic->partitions[static_cast<std::size_t>(number)];
  if (queue_.empty() || queue_.back()->pending.size() >= config_.batch_max ||
      queue_.back()->bytes + bytes > config_.batch_bytes_max) {
    queue_.push_back(std::make_shared<Batch>());
  }
  queue_.back()->pending.push_back({std::move(message), std::move(done), id, number});
  queue_.back()->bytes += bytes;
  queued_bytes_ += bytes;
  ++queued_;
  if (!under_way_) to_submit = next_batch();
  return {};
}

Appender::BatchPtr Appender::next_batch() {
  under_way_ = !queue_.empty();
  if (!under_way_) return nullptr;
  ++unanswered_;
  BatchPtr batch = std::move(queue_.front());
  queue_.pop_front();
  queued_ -= batch->pending.size();
  queued_bytes_ -= batch->bytes;
  return batch;
}

void Appender::submit(const BatchPtr& batch) {
  batch->at = clock_.now();
  batch->appends.reserve(batch->pending.size());
  for (const Pending& one : batch->pending) batch->appends.push_back({one.partition, &one.message, 0});
  database_.submit(
      {.access = sql::Access::write, .deadline = {}},
      [batch](sql::Tx& tx) { return append(tx, batch->at, batch->appends); },
      [this, batch](const Result<void>& outcome) { finished(batch, outcome); });
}

void Appender::finished(const BatchPtr& batch, const Result<void>& outcome) {
  // Consumers are told before the next transaction starts: so they see partitions grow in order.
  if (outcome) appended_(to_records(*batch));
  BatchPtr next;
  {
    const MutexLock lock(mutex_);
    next = next_batch();
  }
  if (next) submit(next);
  answer(*batch, outcome);
  const MutexLock lock(mutex_);
  --unanswered_;
  idle_.notify_all();
}

AppendedRecords Appender::to_records(Batch& batch) {
  AppendedRecords records;
  for (std::size_t i = 0; i < batch.pending.size(); ++i) {
    Pending& one = batch.pending[i];
    auto found = std::ranges::find(records, one.partition, &AppendedRecords::value_type::first);
    if (found == records.end()) found = records.insert(records.end(), {one.partition, {}});
    found->second.push_back(
        std::make_shared<const Record>(Record{.at = {one.message.topic, one.number},
                                              .offset = Offset{batch.appends[i].offset},
                                              .appended_at = batch.at,
                                              .key = std::move(one.message.key),
                                              .value = std::move(one.message.value),
                                              .headers = std::move(one.message.headers)}));
  }
  return records;
}

void Appender::answer(Batch& batch, const Result<void>& outcome) {
  for (std::size_t i = 0; i < batch.pending.size(); ++i) {
    Pending& one = batch.pending[i];
    if (outcome) {
      one.done(std::pair{TopicPartition{std::move(one.message.topic), one.number},
                         Offset{batch.appends[i].offset}});
    } else {
      one.done(outcome.error());
    }
  }
}

void Appender::close() {
  const MutexLock lock(mutex_);
  closed_ = true;
  while (under_way_ || unanswered_ > 0) idle_.wait(mutex_);
}

}  // namespace ekiden::log::sqlite
