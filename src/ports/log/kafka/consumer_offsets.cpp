// The part of a member that says where partitions are read from: starts, gaps, resets.
#include <algorithm>
#include <utility>

#include "ports/log/kafka/consumer.hpp"

namespace ekiden::log::kafka {
namespace {

constexpr std::chrono::milliseconds kAgain{200};

}  // namespace

void KafkaConsumer::place() {
  if (rd_kafka_assignment_lost(client_.get()) != 0) return;
  // This holds up the polling, so it must take less than the session does.
  const auto timeout = std::min(parts_.config.request_timeout, settings_.session_timeout / 6);
  place_again_ = parts_.clock.monotonic() + kAgain;
  const std::vector<TopicPartition> partitions(unplaced_.begin(), unplaced_.end());
  const auto marks = parts_.offsets.read(settings_.group, partitions, timeout);
  if (!marks) return;
  const auto bounds = parts_.admin.bounds(partitions, timeout);
  if (!bounds) return;
  std::map<TopicPartition, std::int64_t> targets;
  const std::size_t errors_before = errors_.size();
  for (const auto& [at, ends] : *bounds) targets[at] = start_of(at, *marks, ends);
  if (!start_at(targets)) {
    errors_.resize(errors_before, Error{Errc::gone, "events-gone", ""});  // told when it succeeds
    return;
  }
  for (const auto& [at, target] : targets) {
    unplaced_.erase(at);
    const bool is_latest = !marks->contains(at) && !holdings_.position(at) && latest_.contains(at);
    if (is_latest) rd_kafka_offsets_store(client_.get(), list_of(names_, {at}, target).get());
  }
}

std::int64_t KafkaConsumer::start_of(const TopicPartition& at, const Marks& marks, const Bounds& bounds) {
  std::optional<std::int64_t> next = holdings_.position(at);
  if (const auto mark = marks.find(at); !next && mark != marks.end()) next = mark->second;
  if (!next) {
    const auto latest = latest_.find(at);
    return latest == latest_.end() ? bounds.begin : std::clamp(latest->second, bounds.begin, bounds.end);
  }
  if (*next >= bounds.begin && *next <= bounds.end) return *next;
  errors_.push_back(Error{Errc::gone, "events-gone",
                          "the group " + settings_.group + " had read " + at.topic + "/" +
                              std::to_string(at.partition) + " up to " + std::to_string(*next) +
                              ", the log holds " + std::to_string(bounds.begin) + " to " +
                              std::to_string(bounds.end)});
  return bounds.begin;
}

bool KafkaConsumer::start_at(const std::map<TopicPartition, std::int64_t>& targets) {
  const List list(rd_kafka_topic_partition_list_new(static_cast<int>(targets.size())));
  for (const auto& [at, offset] : targets) {
    rd_kafka_topic_partition_list_add(list.get(), names_.outside(at.topic).c_str(), at.partition)->offset =
        offset;
  }
  // Given up and taken again, which stays between us and the client: it refuses to seek where it has no
  // position to seek from. On the way it commits what is stored.
  const RawError left(rd_kafka_incremental_unassign(client_.get(), list.get()));
  const RawError taken(rd_kafka_incremental_assign(client_.get(), list.get()));
  if (!left && !taken) return true;
  logger().warning("log_start_failed", {{"group", settings_.group},
                                        {"reason", rd_kafka_error_string(left ? left.get() : taken.get())}});
  return false;
}

void KafkaConsumer::follow_resets() {
  Marks resets;
  {
    const MutexLock lock(resets_mutex_);
    resets.swap(resets_);
  }
  for (const auto& [at, to] : resets) {
    if (holdings_.has(at) && rd_kafka_assignment_lost(client_.get()) == 0) {
      follow(at, to);
    } else {
      logger().warning("log_reset_lost", {{"group", settings_.group}, {"partition", at.partition}});
    }
  }
}

void KafkaConsumer::follow(const TopicPartition& at, std::int64_t to) {
  holdings_.begin_reset(at);
  std::erase_if(batch_, [&](const Record& record) { return record.at == at; });
  listener_.on_revoked({at});
  forget({at});
  start_at({{at, to}});
  const List list = list_of(names_, {at}, to);
  rd_kafka_resume_partitions(client_.get(), list.get());  // a new turn is not paused
  // After the commit of what had been stored before, which the client has sent by itself. Should a rebalance
  // come between, the assignment is lost, and with it the reset, where it could not be committed.
  moving_[at] = to;
  rd_kafka_commit_queue(client_.get(), list.get(), answers_.get(), nullptr, nullptr);
  holdings_.add({at});
  listener_.on_assigned({at});
}

void KafkaConsumer::read_answers() {
  while (const Event answer{rd_kafka_queue_poll(answers_.get(), 0)}) {
    const auto* list = rd_kafka_event_topic_partition_list(answer.get());
    if (rd_kafka_event_type(answer.get()) != RD_KAFKA_EVENT_OFFSET_COMMIT || list == nullptr) continue;
    const bool is_committed = rd_kafka_event_error(answer.get()) == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (const TopicPartition& at : ours(*list)) {
      const auto moving = moving_.extract(at);
      if (moving.empty() || is_committed) continue;
      reset_again_ = parts_.clock.monotonic() + kAgain;
      const MutexLock lock(resets_mutex_);
      resets_.try_emplace(at, moving.mapped());
    }
  }
}

}  // namespace ekiden::log::kafka
