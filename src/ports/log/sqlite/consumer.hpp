#pragma once

#include <memory>
#include <vector>

#include "ports/log/log.hpp"
#include "ports/log/sqlite/log_core.hpp"

namespace ekiden::log::sqlite {

/// A member's thread's end of the log. @threads as log::Consumer
class SqliteConsumer final : public Consumer {
 public:
  SqliteConsumer(std::shared_ptr<LogCore> core, Membership who, RebalanceListener& listener)
      : core_(std::move(core)), who_(who), listener_(listener) {}
  ~SqliteConsumer() override;
  SqliteConsumer(const SqliteConsumer&) = delete;
  SqliteConsumer& operator=(const SqliteConsumer&) = delete;

  Result<std::vector<Record>> poll(std::size_t max, Duration timeout) override;
  void pause(const std::vector<TopicPartition>& partitions) override;
  void resume(const std::vector<TopicPartition>& partitions) override;
  Result<void> store(const TopicPartition& at, CommittedOffset next) override;
  void wake() override;
  Result<void> close() override;

 private:
  Result<std::vector<Record>> poll_until(std::size_t max, Instant until);
  /// Tells the listener what has moved until nothing more has.
  Result<void> follow_directives();

  const std::shared_ptr<LogCore> core_;
  const Membership who_;
  RebalanceListener& listener_;
  bool closed_ = false;
};

}  // namespace ekiden::log::sqlite
