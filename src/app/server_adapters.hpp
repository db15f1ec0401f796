#pragma once

#include "app/adapters.hpp"

/// The adapters that speak to servers: PostgreSQL, Kafka, Redis. Each throws std::runtime_error where its
/// settings are wrong, or where what it needs at the start cannot be reached.
namespace ekiden::app {

std::vector<OptionInfo> postgres_options();
std::vector<OptionInfo> kafka_options();
std::vector<OptionInfo> redis_options();

std::unique_ptr<sql::Database> postgres_database(const AdapterContext& context);
std::unique_ptr<blobs::Blobs> postgres_blobs(const AdapterContext& context);
std::unique_ptr<log::Log> kafka_log(const AdapterContext& context);
std::unique_ptr<ranking::Ranking> redis_ranking(const AdapterContext& context);
std::unique_ptr<claims::Claims> redis_claims(const AdapterContext& context);
std::unique_ptr<limits::Limits> redis_limits(const AdapterContext& context);

/// The error as an exception that says what could not be done.
template <class T>
T or_throw(Result<T> result, const std::string& what) {
  if (!result) throw std::runtime_error(what + ": " + result.error().text());
  return *std::move(result);
}

}  // namespace ekiden::app
