#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "ports/log/log.hpp"

namespace ekiden::log::sqlite {

using RecordPtr = std::shared_ptr<const Record>;

/// The newest records of one partition, in order and without gaps, so that consumers that keep up read no
/// table. Drops its oldest beyond `bytes_max`.
class Tail {
 public:
  /// Adds the next record. One that does not follow the last (another process appended in between) makes
  /// the tail start anew with it.
  void push(RecordPtr record, std::size_t bytes_max) {
    if (record->offset.value != end()) clear();
    if (records_.empty()) first_ = record->offset.value;
    bytes_ += weight(*record);
    records_.push_back(std::move(record));
    while (bytes_ > bytes_max && !records_.empty()) drop_oldest();
  }

  /// What retention has dropped is gone for every consumer, however fast.
  void drop_before(std::int64_t offset) {
    while (!records_.empty() && first_ < offset) drop_oldest();
  }

  /// The record at `offset`, or null where the tail does not reach back (or on) so far.
  RecordPtr at(std::int64_t offset) const {
    if (offset < first_ || offset >= end()) return nullptr;
    return records_[static_cast<std::size_t>(offset - first_)];
  }

  std::size_t bytes() const { return bytes_; }

 private:
  static std::size_t weight(const Record& record) {
    std::size_t bytes = sizeof(Record) + record.key.size() + record.value.size();
    for (const auto& [name, value] : record.headers)
      bytes += sizeof(std::string) * 2 + name.size() + value.size();
    return bytes;
  }
  std::int64_t end() const { return first_ + static_cast<std::int64_t>(records_.size()); }
  void drop_oldest() {
    bytes_ -= weight(*records_.front());
    records_.pop_front();
    ++first_;
  }
  void clear() {
    records_.clear();
    bytes_ = 0;
  }

  std::deque<RecordPtr> records_;
  std::int64_t first_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace ekiden::log::sqlite
