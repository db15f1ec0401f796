#include "ports/log/kafka/group_offsets.hpp"

#include <algorithm>
#include <utility>

namespace ekiden::log::kafka {
namespace {

bool has_members(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID || code == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP ||
         code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS || code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
}

}  // namespace

Result<GroupOffsets::SharedClient> GroupOffsets::client_of(const std::string& group) {
  const MutexLock lock(mutex_);
  const auto found = std::ranges::find(clients_, group, &std::pair<std::string, SharedClient>::first);
  if (found != clients_.end()) {
    clients_.splice(clients_.begin(), clients_, found);
    return clients_.front().second;
  }
  ConfBuilder conf(config_, *this);
  conf.set("group.id", names_.outside(group)).set("enable.auto.commit", "false");
  EKIDEN_TRY(Client client, conf.build(RD_KAFKA_CONSUMER));
  rd_kafka_poll_set_consumer(client.get());
  clients_.emplace_front(group, std::move(client));
  if (clients_.size() > kClientsMax) clients_.pop_back();
  return clients_.front().second;
}

Result<Marks> GroupOffsets::read(const std::string& group, const std::vector<TopicPartition>& partitions,
                                 std::chrono::milliseconds timeout) {
  EKIDEN_TRY(const SharedClient client, client_of(group));
  const List list = list_of(names_, partitions);
  auto code = rd_kafka_committed(client.get(), list.get(), millis(timeout));
  Marks marks;
  for (int i = 0; i < list->cnt; ++i) {
    const auto& entry = list->elems[i];
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = entry.err;
    const auto topic = names_.inside(entry.topic);
    if (topic && entry.offset >= 0) marks[{*topic, entry.partition}] = entry.offset;
  }
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, "the group's offsets could not be read");
  return marks;
}

Result<void> GroupOffsets::set(const std::string& group, const Marks& marks) {
  constexpr std::string_view kWhat = "the group's offsets could not be set";
  EKIDEN_TRY(const SharedClient client, client_of(group));
  const List list(rd_kafka_topic_partition_list_new(static_cast<int>(marks.size())));
  for (const auto& [at, next] : marks) {
    rd_kafka_topic_partition_list_add(list.get(), names_.outside(at.topic).c_str(), at.partition)->offset =
        next;
  }
  const Queue queue(rd_kafka_queue_new(client.get()));
  auto code = rd_kafka_commit_queue(client.get(), list.get(), queue.get(), nullptr, nullptr);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, kWhat);
  const Event event(rd_kafka_queue_poll(queue.get(), millis(config_.request_timeout)));
  if (!event) return error_of(RD_KAFKA_RESP_ERR__TIMED_OUT, kWhat);
  code = rd_kafka_event_error(event.get());
  const auto* done = rd_kafka_event_topic_partition_list(event.get());
  for (int i = 0; done != nullptr && i < done->cnt; ++i) {
    if (done->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) code = done->elems[i].err;
  }
  if (has_members(code)) return Error{Errc::conflict, "group-has-members", "the group has members"};
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, kWhat);
  return {};
}

}  // namespace ekiden::log::kafka
