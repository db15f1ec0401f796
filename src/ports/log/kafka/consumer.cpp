#include "ports/log/kafka/consumer.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <poll.h>

namespace ekiden::log::kafka {
namespace {

// So that "for ever" can be added to a clock's time.
constexpr Duration kLongestWait = std::chrono::hours{24};
constexpr std::size_t kErrorsMax = 64;
// Connections that break so soon after one another are an outage; it is told at most so often.
constexpr std::chrono::seconds kOutage{2};

Error is_closed() {
  return Error{Errc::conflict, "consumer-closed", "the consumer has been closed"};
}

std::string_view text_of(const void* data, std::size_t size) {
  return data == nullptr ? std::string_view{} : std::string_view{static_cast<const char*>(data), size};
}

Headers headers_of(const rd_kafka_message_t& message) {
  Headers headers;
  rd_kafka_headers_t* raw = nullptr;
  if (rd_kafka_message_headers(&message, &raw) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  headers.reserve(rd_kafka_header_cnt(raw));
  for (std::size_t i = 0; rd_kafka_header_get_all(raw, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    headers.emplace_back(name, text_of(value, size));
  }
  return headers;
}

}  // namespace

Record record_of(const rd_kafka_message_t& message, std::string topic) {
  const std::chrono::milliseconds appended_at{rd_kafka_message_timestamp(&message, nullptr)};
  return {.at = {std::move(topic), message.partition},
          .offset = Offset{message.offset},
          .appended_at = Timestamp{appended_at},
          .key = std::string(text_of(message.key, message.key_len)),
          .value = std::string(text_of(message.payload, message.len)),
          .headers = headers_of(message)};
}

KafkaConsumer::KafkaConsumer(ConsumerParts parts, ConsumerConfig config,
                             std::map<TopicPartition, std::int64_t> latest, RebalanceListener& listener)
    : Owner(parts.logger),
      parts_(parts),
      settings_(std::move(config)),
      group_(parts.admin.names().outside(settings_.group)),
      latest_(std::move(latest)),
      listener_(listener),
      names_(parts.admin.names()),
      served_at_(parts.clock.monotonic()) {}

Result<std::unique_ptr<KafkaConsumer>> KafkaConsumer::make(ConsumerParts parts, ConsumerConfig config,
                                                           std::map<TopicPartition, std::int64_t> latest,
                                                           RebalanceListener& listener) {
  std::unique_ptr<KafkaConsumer> member(
      new KafkaConsumer(parts, std::move(config), std::move(latest), listener));
  EKIDEN_CHECK(member->connect());
  parts.members.add(*member);
  return member;
}

Result<void> KafkaConsumer::connect() {
  constexpr std::int64_t kKibi = 1'024;
  const auto session = settings_.session_timeout;
  ConfBuilder conf(parts_.config, *this);
  conf.for_consumer()
      .set("group.id", group_)
      .set("partition.assignment.strategy", "cooperative-sticky")
      .set("enable.auto.commit", "true")  // of what is stored, and only of that
      .set("auto.commit.interval.ms", parts_.config.commit_every.count())
      .set("enable.auto.offset.store", "false")
      .set("auto.offset.reset", "error")
      .set("session.timeout.ms", session.count())
      .set("max.poll.interval.ms", session.count())
      .set("heartbeat.interval.ms", std::min(parts_.config.heartbeat, session / 4).count())
      .set("fetch.error.backoff.ms", 100)
      .set("queued.max.messages.kbytes", static_cast<std::int64_t>(parts_.config.fetch_bytes_max) / kKibi);
  if (!settings_.member.empty()) conf.set("group.instance.id", settings_.member);
  EKIDEN_TRY(client_, conf.build(RD_KAFKA_CONSUMER));
  rd_kafka_poll_set_consumer(client_.get());
  queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
  answers_.reset(rd_kafka_queue_new(client_.get()));
  for (const Queue* queue : {&queue_, &answers_}) {
    rd_kafka_queue_io_event_enable(queue->get(), served_.fd(), &Bell::kOnce, sizeof Bell::kOnce);
  }
  std::vector<TopicPartition> topics;
  for (const std::string& topic : settings_.topics) topics.push_back({topic, RD_KAFKA_PARTITION_UA});
  const auto code = rd_kafka_subscribe(client_.get(), list_of(names_, topics).get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, "the topics could not be subscribed to");
  return {};
}

KafkaConsumer::~KafkaConsumer() {
  if (const auto closed = close(); !closed) {
    logger().warning("log_commit_failed", {{"slug", closed.error().slug()}});
  }
}

bool KafkaConsumer::leave() {
  // A member that went away in the middle of a rebalance holds the others up until its session has ended.
  constexpr std::chrono::seconds kAfterSession{2};
  const auto patience =
      std::max<Duration>(parts_.config.close_timeout, settings_.session_timeout + kAfterSession);
  const Instant until = parts_.clock.monotonic() + patience;
  constexpr int kServeMs = 50;
  // The client (before 2.3) aborts when it is destroyed between joining and its first assignment.
  while (!was_assigned_ && !holdings_.is_fenced() && parts_.clock.monotonic() < until) {
    const RawMessage message(rd_kafka_consumer_poll(client_.get(), kServeMs));
  }
  holdings_.fence();
  // Not its asynchronous form, which never ends (2.0). This one takes as long as a session at most.
  const auto code = rd_kafka_consumer_close(client_.get());
  return code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__FATAL;
}

Result<void> KafkaConsumer::close() {
  {
    const MutexLock lock(client_mutex_);  // a store that is under way ends first
    if (std::exchange(is_closed_, true)) return {};
  }
  parts_.members.remove(*this);
  if (!client_) return {};
  is_leaving_ = true;
  last_commit_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  const bool has_left = leave();
  for (Queue* queue : {&queue_, &answers_}) {
    rd_kafka_queue_io_event_enable(queue->get(), -1, nullptr, 0);
    queue->reset();
  }
  {
    const MutexLock lock(client_mutex_);
    if (was_assigned_) {
      rd_kafka_destroy_flags(client_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    } else {
      // It cannot be destroyed safely: the process carries it to its end. No broker answered it all the
      // while.
      logger().warning("log_member_abandoned", {{"group", settings_.group}});
      abandon(std::move(client_));
    }
  }
  switch (has_left ? last_commit_ : RD_KAFKA_RESP_ERR__TIMED_OUT) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return error_of(RD_KAFKA_RESP_ERR__TIMED_OUT, "the last offsets were not committed");
    default:
      return {};
  }
}

void KafkaConsumer::fence() {
  holdings_.fence();
  served_.ring();
}

bool KafkaConsumer::reset(const TopicPartition& at, CommittedOffset to) {
  if (!holdings_.has(at)) return false;
  {
    const MutexLock lock(resets_mutex_);
    resets_[at] = to.value;
  }
  served_.ring();
  return true;
}

void KafkaConsumer::on_error(rd_kafka_resp_err_t code, std::string_view reason) {
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    // The brokers have fenced it: another process has joined under this member's name.
    logger().warning("log_member_fenced", {{"group", settings_.group}, {"reason", reason}});
    holdings_.fence();
  } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__TRANSPORT) {
    // One connection alone may have been idle or belong to a broker that others stand in for.
    const Instant now = parts_.clock.monotonic();
    const bool is_outage = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || now - broken_at_ < kOutage;
    broken_at_ = now;
    if (!is_outage || now < told_outage_at_ + kOutage) return;
    told_outage_at_ = now;
    if (errors_.size() < kErrorsMax) errors_.push_back(error_of(code, "the log does not answer"));
  } else {
    logger().debug("log_consumer_error", {{"group", settings_.group}, {"reason", reason}});
  }
}

void KafkaConsumer::on_commit(rd_kafka_resp_err_t code) {
  if (code == RD_KAFKA_RESP_ERR__NO_OFFSET) return;
  last_commit_ = code;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  // What is still ours is tried again; what is not comes again to its new owner.
  logger().info("log_commit_refused", {{"group", settings_.group}, {"reason", rd_kafka_err2str(code)}});
}

std::vector<TopicPartition> KafkaConsumer::ours(const rd_kafka_topic_partition_list_t& list) const {
  std::vector<TopicPartition> partitions;
  for (int i = 0; i < list.cnt; ++i) {
    if (auto topic = names_.inside(list.elems[i].topic)) {
      partitions.push_back({*std::move(topic), list.elems[i].partition});
    }
  }
  return partitions;
}

void KafkaConsumer::on_rebalance(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t& list) {
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    was_assigned_ = true;
    assigned(list);
  } else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
    given_up(list, rd_kafka_assignment_lost(client_.get()) != 0);
  } else {
    rd_kafka_assign(client_.get(), nullptr);
  }
}

void KafkaConsumer::assigned(const rd_kafka_topic_partition_list_t& list) {
  if (const RawError fault(rd_kafka_incremental_assign(client_.get(), &list)); fault) {
    logger().warning("log_assign_failed", {{"reason", rd_kafka_error_string(fault.get())}});
    return;
  }
  // A pause outlives an assignment in the client; in the port it does not.
  if (list.cnt > 0) rd_kafka_resume_partitions(client_.get(), list_of(names_, ours(list)).get());
  const auto fresh = is_leaving_ ? std::vector<TopicPartition>{} : holdings_.add(ours(list));
  if (fresh.empty()) return;
  listener_.on_assigned(fresh);
}

void KafkaConsumer::given_up(const rd_kafka_topic_partition_list_t& list, bool is_lost) {
  const auto mine = holdings_.present(ours(list));
  std::erase_if(batch_,
                [&](const Record& record) { return std::ranges::find(mine, record.at) != mine.end(); });
  if (is_lost || was_silent_ || holdings_.is_fenced()) {
    // All of them at once: the client tells in parts, and only of one that it is lost.
    for (const TopicPartition& at : holdings_.all()) lost_.insert(at);
  }
  const auto is_gone = [this](const TopicPartition& at) { return lost_.contains(at); };
  std::vector<TopicPartition> revoked;
  std::vector<TopicPartition> lost;
  std::ranges::partition_copy(mine, std::back_inserter(lost), std::back_inserter(revoked), is_gone);
  if (!lost.empty() && !is_leaving_) listener_.on_lost(lost);
  if (!revoked.empty() && !is_leaving_) listener_.on_revoked(revoked);
  forget(mine);
  // Commits what is stored before the partitions can go to another member.
  const RawError fault(rd_kafka_incremental_unassign(client_.get(), &list));
  if (fault) logger().warning("log_unassign_failed", {{"reason", rd_kafka_error_string(fault.get())}});
}

void KafkaConsumer::forget(const std::vector<TopicPartition>& partitions) {
  holdings_.remove(partitions);
  for (const TopicPartition& at : partitions) {
    unplaced_.erase(at);
    moving_.erase(at);
    lost_.erase(at);
  }
}

Result<void> KafkaConsumer::end_if_fenced() {
  if (is_leaving_) return is_closed();
  if (!holdings_.is_fenced()) return {};
  const auto mine = holdings_.all();
  forget(mine);
  batch_.clear();
  if (!mine.empty()) listener_.on_lost(mine);
  return Error{Errc::conflict, "member-replaced", "another consumer joined under this member's name"};
}

Result<std::vector<Record>> KafkaConsumer::poll(std::size_t max, Duration timeout) {
  const Instant until = parts_.clock.monotonic() + std::clamp(timeout, Duration{0}, kLongestWait);
  was_silent_ = is_silent();
  batch_.clear();
  for (;;) {
    EKIDEN_CHECK(end_if_fenced());
    serve(max);
    EKIDEN_CHECK(end_if_fenced());
    if (!batch_.empty()) return std::exchange(batch_, {});
    if (!errors_.empty()) {
      Error error = std::move(errors_.front());
      errors_.pop_front();
      return error;
    }
    if (!wait(until)) return std::vector<Record>{};
  }
}

bool KafkaConsumer::is_silent() const {
  return parts_.clock.monotonic() - served_at_.load() > settings_.session_timeout;
}

void KafkaConsumer::serve(std::size_t max) {
  served_at_ = parts_.clock.monotonic();
  const auto drained = holdings_.release(max, batch_);
  if (!drained.empty()) rd_kafka_resume_partitions(client_.get(), list_of(names_, drained).get());
  // At least once, also where there is no room: this call keeps the member alive and runs the callbacks.
  do {
    const RawMessage message(rd_kafka_consumer_poll(client_.get(), 0));
    if (!message) break;
    take(*message, batch_.size() < max);
  } while (batch_.size() < max && !holdings_.is_fenced());
  if (holdings_.is_fenced()) return;
  read_answers();
  if (!unplaced_.empty() && parts_.clock.monotonic() >= place_again_) place();
  if (parts_.clock.monotonic() >= reset_again_) follow_resets();
}

void KafkaConsumer::take(const rd_kafka_message_t& message, bool has_room) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(message);
  auto topic = names_.inside(rd_kafka_topic_name(message.rkt));
  if (!topic) return;
  Record record = record_of(message, *std::move(topic));
  const TopicPartition at = record.at;
  if (holdings_.take(std::move(record), has_room, batch_) == Holdings::Tell::pause) {
    rd_kafka_pause_partitions(client_.get(), list_of(names_, {at}).get());
  }
}

void KafkaConsumer::failed(const rd_kafka_message_t& message) {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      if (message.rkt != nullptr) {
        const TopicPartition at{names_.inside(rd_kafka_topic_name(message.rkt)).value_or(""),
                                message.partition};
        if (holdings_.has(at)) unplaced_.insert(at);
      }
      return;
    case RD_KAFKA_RESP_ERR__FATAL:
      holdings_.fence();
      return;
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      logger().warning("log_member_was_silent", {{"group", settings_.group}});
      return;
    default:
      if (errors_.size() < kErrorsMax) errors_.push_back(error_of(message.err, "the log could not be read"));
  }
}

bool KafkaConsumer::wait(Instant until) {
  const Instant now = parts_.clock.monotonic();
  if (woken_.take() || now >= until) return false;
  // The session is kept by serving, so never longer than a part of it.
  Instant next = std::min<Instant>(until, now + settings_.session_timeout / 3);
  if (!unplaced_.empty()) next = std::min(next, place_again_);
  if (reset_again_ > now) next = std::min(next, reset_again_);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(next - now, Duration{0}));
  std::array<::pollfd, 2> bells{{{served_.fd(), POLLIN, 0}, {woken_.fd(), POLLIN, 0}}};
  ::poll(bells.data(), bells.size(), static_cast<int>(left.count()));
  served_.take();  // before serving: what comes meanwhile rings again
  return true;
}

void KafkaConsumer::pause(const std::vector<TopicPartition>& partitions) {
  for (const TopicPartition& at : partitions) holdings_.set_paused(at, true);
}

void KafkaConsumer::resume(const std::vector<TopicPartition>& partitions) {
  for (const TopicPartition& at : partitions) holdings_.set_paused(at, false);
}

Result<void> KafkaConsumer::store(const TopicPartition& at, CommittedOffset next) {
  const auto refused = [] {
    return Error{Errc::conflict, "not-the-owner", "the partition is not this member's any more"};
  };
  const MutexLock lock(client_mutex_);
  if (is_closed_) return is_closed();
  if (is_silent() || rd_kafka_assignment_lost(client_.get()) != 0) return refused();
  EKIDEN_TRY(const bool is_news, holdings_.may_store(at, next));
  if (!is_news) return {};
  const List list = list_of(names_, {at}, next.value);
  if (rd_kafka_offsets_store(client_.get(), list.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return refused();
  return {};
}

void Members::add(KafkaConsumer& member) {
  const MutexLock lock(mutex_);
  for (KafkaConsumer* other : members_) {
    const bool is_same = !member.config().member.empty() &&
                         other->config().member == member.config().member &&
                         other->config().group == member.config().group;
    if (is_same) other->fence();
  }
  members_.insert(&member);
}

void Members::remove(KafkaConsumer& member) {
  const MutexLock lock(mutex_);
  members_.erase(&member);
}

bool Members::reset(std::string_view group, const TopicPartition& at, CommittedOffset to) {
  const MutexLock lock(mutex_);
  return std::ranges::any_of(members_, [&](KafkaConsumer* member) {
    return member->config().group == group && member->reset(at, to);
  });
}

}  // namespace ekiden::log::kafka
