#include "app/server_adapters.hpp"

#include <stdexcept>

#include "ports/blobs/postgres/postgres_blobs.hpp"
#include "ports/claims/redis/redis_claims.hpp"
#include "ports/limits/memory/memory_limits.hpp"
#include "ports/limits/redis/redis_limits.hpp"
#include "ports/log/kafka/kafka_log.hpp"
#include "ports/ranking/redis/redis_ranking.hpp"
#include "ports/sql/postgres/postgres.hpp"

namespace ekiden::app {

namespace {

constexpr Option<std::string> kPostgresUrl{
    .key = "sql.url",
    .help =
        "Where PostgreSQL is: postgresql://user@address:port/database; a password belongs into a password "
        "file.",
    .fallback = "postgresql://ekiden@127.0.0.1:5432/ekiden"};
constexpr Option<std::int64_t> kConnections{.key = "sql.connections",
                                            .help = "Connections of each service's process, a thread each.",
                                            .fallback = 8,
                                            .min = 1,
                                            .max = 256};
constexpr Option<std::string> kBrokers{.key = "log.brokers",
                                       .help = "Where Kafka is: host:port, several with commas between.",
                                       .fallback = "127.0.0.1:9092"};
constexpr Option<std::string> kLogPrefix{
    .key = "log.prefix",
    .help = "Put before every topic and group, so that installations can share brokers.",
    .fallback = ""};
constexpr Option<std::int64_t> kReplication{
    .key = "log.replication",
    .help = "Copies of the topics that are made; -1 as the brokers have it set.",
    .fallback = -1,
    .min = -1,
    .max = 15};
constexpr Option<std::string> kRedisUrl{
    .key = "redis.url",
    .help = "Where Redis is: redis://[[user]:password@]host[:port][/database], rediss:// for TLS.",
    .fallback = "redis://127.0.0.1:6379"};
constexpr Option<std::string> kRedisPrefix{
    .key = "redis.prefix",
    .help = "What every key begins with, so that installations can share a server.",
    .fallback = "ekiden:"};

/// A writer that has been quiet for so long is dead: a body's deadline is far below.
constexpr std::chrono::hours kAbandonedAfter{24};

redis::Client& redis_client(const AdapterContext& context) {
  if (!context.shared.redis) {
    redis::ClientConfig client;
    client.address = or_throw(redis::parse_url(context.config.get(kRedisUrl)), "redis.url");
    context.shared.redis =
        std::make_unique<redis::Client>(client, context.clock, context.random, context.logger.with("redis"));
  }
  return *context.shared.redis;
}

std::string redis_prefix(const AdapterContext& context, std::string_view port) {
  return context.config.get(kRedisPrefix) + std::string(port) + ":";
}

}  // namespace

std::vector<OptionInfo> postgres_options() {
  return {kPostgresUrl, kConnections};
}
std::vector<OptionInfo> kafka_options() {
  return {kBrokers, kLogPrefix, kReplication};
}
std::vector<OptionInfo> redis_options() {
  return {kRedisUrl, kRedisPrefix};
}

std::unique_ptr<sql::Database> postgres_database(const AdapterContext& context) {
  constexpr int kBesideServer = 2;
  sql::PostgresConfig postgres;
  postgres.url = context.config.get(kPostgresUrl);
  postgres.schema = context.name;
  postgres.connections =
      context.is_beside_server ? kBesideServer : static_cast<int>(context.config.get(kConnections));
  return or_throw(sql::make_postgres(std::move(postgres), context.clock, context.random,
                                     context.logger.with("sql." + context.name)),
                  "the tables of " + context.name + " cannot be reached");
}

std::unique_ptr<blobs::Blobs> postgres_blobs(const AdapterContext& context) {
  Shared& shared = context.shared;
  shared.blob_database = postgres_database(context);
  or_throw(sql::migrate(*shared.blob_database, {blobs::kBlobsMigration}), "the tables of blobs");
  shared.blob_sweeps = {
      {.name = "abandoned-writes", .run = [](sql::Tx& tx, Timestamp now, std::int64_t limit) {
         return blobs::purge_abandoned_writes(tx, now - kAbandonedAfter, limit);
       }}};
  shared.ids = std::make_unique<Ids>(context.clock, context.random);
  return blobs::make_postgres_blobs(*shared.blob_database, context.clock, *shared.ids);
}

std::unique_ptr<log::Log> kafka_log(const AdapterContext& context) {
  log::KafkaConfig kafka;
  kafka.brokers = context.config.get(kBrokers);
  kafka.prefix = context.config.get(kLogPrefix);
  kafka.replication = static_cast<int>(context.config.get(kReplication));
  return or_throw(log::make_kafka_log(std::move(kafka), context.clock, context.logger.with("log")),
                  "the log on Kafka");
}

std::unique_ptr<ranking::Ranking> redis_ranking(const AdapterContext& context) {
  ranking::RedisRankingConfig config;
  config.prefix = redis_prefix(context, "ranking");
  return ranking::make_redis_ranking(redis_client(context), std::move(config), context.random, context.clock,
                                     context.logger.with("ranking"));
}

std::unique_ptr<claims::Claims> redis_claims(const AdapterContext& context) {
  claims::RedisClaimsConfig config;
  config.prefix = redis_prefix(context, "claims") + context.name + ":";
  return claims::make_redis_claims(redis_client(context), context.clock, std::move(config));
}

std::unique_ptr<limits::Limits> redis_limits(const AdapterContext& context) {
  limits::MemoryLimitsConfig own;
  context.random.fill(std::as_writable_bytes(std::span{own.hash_secret}));
  context.shared.own_limits = limits::make_memory_limits(context.clock, own);
  limits::RedisLimitsConfig config;
  config.prefix = redis_prefix(context, "limits");
  auto shared = limits::make_redis_limits(redis_client(context), *context.shared.own_limits, context.clock,
                                          context.logger.with("limits"), std::move(config));
  context.shared.redis_limits = shared.get();
  return shared;
}

}  // namespace ekiden::app
