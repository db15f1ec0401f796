// The part of a member that says where partitions are read from: starts, gaps, resets.
#include <algorithm>
#include <utility>

#include "ports/log/kafka/consumer.hpp"

namespace ekiden::log::kafka {
namespace {

constexpr std::chrono::milliseconds kPlaceAgain{200};

using ListedGroup =
    std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t, Destroy<rd_kafka_ListConsumerGroupOffsets_destroy>>;
using DeletedMarks = std::unique_ptr<rd_kafka_DeleteConsumerGroupOffsets_t,
                                     Destroy<rd_kafka_DeleteConsumerGroupOffsets_destroy>>;

}  // namespace

void KafkaConsumer::place() {
  if (rd_kafka_assignment_lost(client_.get()) != 0) return;
  // This holds up the polling, so it must take less than the session does.
  const auto timeout = std::min(parts_.config.request_timeout, settings_.session_timeout / 6);
  place_again_ = parts_.clock.monotonic() + kPlaceAgain;
  const std::vector<TopicPartition> partitions(unplaced_.begin(), unplaced_.end());
  const auto marks = parts_.admin.marks(group_, timeout);
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
  if (const auto mark = marks.find(at); !next && mark != marks.end()) next = mark->second.next;
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

void KafkaConsumer::look_for_resets() {
  next_look_ = parts_.clock.monotonic() + parts_.config.look_every;
  if (is_looking_) looks_again_ = true;
  if (is_looking_ || holdings_.all().empty()) return;
  is_looking_ = true;
  const ListedGroup wanted(rd_kafka_ListConsumerGroupOffsets_new(resets_of(group_).c_str(), nullptr));
  auto* one = wanted.get();
  rd_kafka_ListConsumerGroupOffsets(client_.get(), &one, 1, nullptr, answers_.get());
}

void KafkaConsumer::read_answers() {
  while (const Event event{rd_kafka_queue_poll(answers_.get(), 0)}) {
    const auto type = rd_kafka_event_type(event.get());
    if (type == RD_KAFKA_EVENT_OFFSET_COMMIT) followed(*event);
    if (type != RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT) continue;
    is_looking_ = false;
    if (std::exchange(looks_again_, false)) looks_soon_ = true;
    const auto resets = marks_in(event.get(), names_);
    if (!resets) continue;
    for (const auto& [at, reset] : *resets) {
      if (holdings_.has(at)) follow(at, reset);
    }
  }
}

void KafkaConsumer::follow(const TopicPartition& at, const Mark& reset) {
  if (rd_kafka_assignment_lost(client_.get()) != 0) return;
  const auto before = followed_.find(at);
  if (moving_.contains(at) || (before != followed_.end() && before->second == reset.note)) return;
  holdings_.begin_reset(at);
  std::erase_if(batch_, [&](const Record& record) { return record.at == at; });
  listener_.on_revoked({at});
  forget({at});
  start_at({{at, reset.next}});
  rd_kafka_resume_partitions(client_.get(), list_of(names_, {at}).get());  // a new turn is not paused
  // After the commit of what had been stored before, which the client has sent by itself. Should a rebalance
  // come between, the assignment is lost and the reset is followed by whoever has the partition then.
  moving_[at] = reset;
  rd_kafka_commit_queue(client_.get(), list_of(names_, {at}, reset.next).get(), answers_.get(), nullptr, nullptr);
  holdings_.add({at});
  listener_.on_assigned({at});
}

void KafkaConsumer::followed(rd_kafka_event_t& answer) {
  const auto* list = rd_kafka_event_topic_partition_list(&answer);
  if (list == nullptr) return;
  for (const TopicPartition& at : ours(*list)) {
    const auto moving = moving_.extract(at);
    if (moving.empty()) continue;
    if (rd_kafka_event_error(&answer) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      looks_soon_ = true;
      continue;
    }
    followed_[at] = moving.mapped().note;
    const DeletedMarks done(
        rd_kafka_DeleteConsumerGroupOffsets_new(resets_of(group_).c_str(), list_of(names_, {at}).get()));
    auto* one = done.get();
    rd_kafka_DeleteConsumerGroupOffsets(client_.get(), &one, 1, nullptr, answers_.get());
  }
}

}  // namespace ekiden::log::kafka
