#include "ports/log/kafka/sender.hpp"

#include <array>
#include <utility>

#include "ports/log/checks.hpp"

namespace ekiden::log::kafka {
namespace {

using RawHeaders = std::unique_ptr<rd_kafka_headers_t, Destroy<rd_kafka_headers_destroy>>;

constexpr std::size_t kWaitingMax = 4'096;
// The thread is woken when there is something to do; this only bounds what a lost bell would cost.
constexpr int kServeMs = 1'000;

RawHeaders raw_headers(const Headers& headers) {
  RawHeaders raw(rd_kafka_headers_new(headers.size()));
  for (const auto& [name, value] : headers) {
    rd_kafka_header_add(raw.get(), name.c_str(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  return raw;
}

void wake(rd_kafka_t* client) {
  const Queue main(rd_kafka_queue_get_main(client));
  rd_kafka_queue_yield(main.get());
}

rd_kafka_vu_t field(rd_kafka_vtype_t type) {
  rd_kafka_vu_t value{};
  value.vtype = type;
  return value;
}

/// The bytes are only read: the client copies them.
rd_kafka_vu_t bytes(rd_kafka_vtype_t type, const std::string& text) {
  rd_kafka_vu_t value = field(type);
  value.u.mem.ptr = const_cast<char*>(text.data());
  value.u.mem.size = text.size();
  return value;
}

}  // namespace

Result<std::unique_ptr<Sender>> Sender::make(const KafkaConfig& config, const Logger& logger) {
  std::unique_ptr<Sender> sender(new Sender(config, logger));
  EKIDEN_TRY(Client client, sender->make_client());
  {
    const MutexLock lock(sender->mutex_);
    sender->client_ = std::move(client);
  }
  sender->thread_ = std::jthread([raw = sender.get()] { raw->run(); });
  return sender;
}

Result<Client> Sender::make_client() {
  constexpr std::int64_t kRecordBytes = kValueBytesMax + kKeyBytesMax + 2 * kHeaderBytesMax;
  constexpr std::int64_t kKibi = 1'024;
  return ConfBuilder(config_, *this)
      .for_producer()
      .set("enable.idempotence", "true")  // waits for all replicas; retries neither repeat nor reorder
      .set("compression.type", config_.compression)
      .set("linger.ms", config_.linger.count())
      .set("message.timeout.ms", config_.send_timeout.count())
      .set("message.max.bytes", kRecordBytes)
      .set("queue.buffering.max.messages", static_cast<std::int64_t>(config_.queue_max))
      .set("queue.buffering.max.kbytes", static_cast<std::int64_t>(config_.queue_bytes_max) / kKibi)
      .build(RD_KAFKA_PRODUCER);
}

std::shared_ptr<rd_kafka_t> Sender::client() const {
  const MutexLock lock(mutex_);
  return client_;
}

void Sender::send(Message message, Delivered done) {
  if (auto sound = check(message); !sound) return done(sound.error());
  std::optional<Error> refused;
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      refused = Error{Errc::unavailable, "log-closed", "the log has been closed"};
    } else if (known_.contains(message.topic) && waiting_.empty()) {
      refused = produce(message, done);
    } else if (waiting_.size() >= kWaitingMax) {
      refused = Error{Errc::busy, "log-busy", "too many messages wait for their topic"};
    } else {
      waiting_.push_back({std::move(message), std::move(done)});
      wake(client_.get());
    }
  }
  if (refused) done(*std::move(refused));
}

std::optional<Error> Sender::produce(const Message& message, Delivered& done) {
  const std::string topic = names_.outside(message.topic);
  auto kept = std::make_unique<Delivered>(std::move(done));
  std::array<rd_kafka_vu_t, 6> fields{field(RD_KAFKA_VTYPE_TOPIC),
                                      bytes(RD_KAFKA_VTYPE_KEY, message.key),
                                      bytes(RD_KAFKA_VTYPE_VALUE, message.value),
                                      field(RD_KAFKA_VTYPE_MSGFLAGS),
                                      field(RD_KAFKA_VTYPE_OPAQUE),
                                      field(RD_KAFKA_VTYPE_HEADERS)};
  fields[0].u.cstr = topic.c_str();
  fields[3].u.i = RD_KAFKA_MSG_F_COPY;
  fields[4].u.ptr = kept.get();
  RawHeaders headers = raw_headers(message.headers);
  fields[5].u.headers = headers.get();
  const RawError fault(rd_kafka_produceva(client_.get(), fields.data(), fields.size()));
  if (!fault) {
    static_cast<void>(headers.release());  // the client's now
    static_cast<void>(kept.release());     // until it is delivered
    return std::nullopt;
  }
  done = std::move(*kept);
  const auto code = rd_kafka_error_code(fault.get());
  if (code == RD_KAFKA_RESP_ERR__FATAL && !is_unfit_.exchange(true)) wake(client_.get());
  return error_of(code, "the message was not taken");
}

void Sender::on_delivery(const rd_kafka_message_t& message) {
  const std::unique_ptr<Delivered> done(static_cast<Delivered*>(message._private));
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (message.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        message.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
      const MutexLock lock(mutex_);
      known_.clear();  // it has been deleted: the next one asks
    }
    return (*done)(error_of(message.err, "the message was not delivered"));
  }
  const auto topic = names_.inside(rd_kafka_topic_name(message.rkt));
  (*done)(std::pair{TopicPartition{topic.value_or(""), message.partition}, Offset{message.offset}});
}

void Sender::on_error(rd_kafka_resp_err_t code, std::string_view reason) {
  if (code != RD_KAFKA_RESP_ERR__FATAL) return;
  logger().error("log_producer_unfit", {{"reason", reason}});
  is_unfit_ = true;
}

void Sender::run() {
  for (;;) {
    bool ends = false;
    bool asks = false;
    {
      const MutexLock lock(mutex_);
      ends = stopping_;
      asks = !waiting_.empty();
    }
    if (ends) return;
    if (is_unfit_) replace_client();
    if (asks) ask_for_topics();
    rd_kafka_poll(client().get(), kServeMs);
  }
}

Result<void> Sender::look() {
  EKIDEN_TRY(Catalog catalog, read_catalog(client().get(), names_, config_.request_timeout));
  const MutexLock lock(mutex_);
  known_ = std::move(catalog);
  return {};
}

void Sender::ask_for_topics() {
  const auto looked = look();
  std::vector<std::pair<Delivered, Error>> refused;
  {
    // All at once, so that none that is sent meanwhile overtakes them.
    const MutexLock lock(mutex_);
    for (Waiting& one : std::exchange(waiting_, {})) {
      std::optional<Error> fault;
      if (!looked) {
        fault = looked.error();
      } else if (!known_.contains(one.message.topic)) {
        fault = Error{Errc::invalid, "no-such-topic", "there is no such topic", "topic"};
      } else {
        fault = produce(one.message, one.done);
      }
      if (fault) refused.emplace_back(std::move(one.done), *std::move(fault));
    }
  }
  for (auto& [done, fault] : refused) done(std::move(fault));
}

void Sender::replace_client() {
  Result<Client> fresh = make_client();
  if (!fresh) return logger().error("log_producer_failed", {{"error", fresh.error().text()}});
  std::shared_ptr<rd_kafka_t> old = *std::move(fresh);
  {
    const MutexLock lock(mutex_);
    old.swap(client_);
    is_unfit_ = false;
  }
  rd_kafka_purge(old.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(old.get(), millis(config_.close_timeout));
  logger().warning("log_producer_replaced");
}

void Sender::break_client() {
  rd_kafka_test_fatal_error(client().get(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "for a test");
}

void Sender::stop() {
  std::deque<Waiting> left;
  std::shared_ptr<rd_kafka_t> client;
  {
    const MutexLock lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    left = std::exchange(waiting_, {});
    client = client_;
    if (client) wake(client.get());
  }
  if (thread_.joinable()) thread_.join();
  for (Waiting& one : left) one.done(Error{Errc::unavailable, "log-closed", "the log has been closed"});
  if (!client) return;
  if (rd_kafka_flush(client.get(), millis(config_.close_timeout)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(client.get(), millis(config_.close_timeout));
  }
  const MutexLock lock(mutex_);
  client_.reset();
}

}  // namespace ekiden::log::kafka
