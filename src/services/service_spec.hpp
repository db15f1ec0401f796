#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "delivery/subscription.hpp"
#include "http/route.hpp"
#include "ports/log/log.hpp"
#include "ports/sql/sql.hpp"
#include "runtime/model.hpp"

namespace ekiden::services {

/// A long-running part of a service that is neither a request nor an event: a job runner, a sweeper. Started
/// after the consumers, stopped before them, in listed order and its reverse.
struct Background {
  std::string_view name;
  std::function<void()> start;
  std::function<void()> stop;  ///< returns when nothing of it runs any more
};

/// Rows that go by themselves when their time is over, removed every hour. `run` removes at most `limit` of
/// them and says how many; it is run again while it finds as many. Every table of a service that others can
/// make grow has its bound in the tables' own limits, or here.
struct Sweep {
  std::string_view name;
  std::function<Result<std::int64_t>(sql::Tx& tx, Timestamp now, std::int64_t limit)> run;
};

/// One equation of INVARIANTS that `ekiden audit` checks over live stores. Findings are sentences for an
/// operator; an empty list is good news. With `repair`, a projection is put right from its source and the
/// finding says so.
struct AuditCheck {
  std::string_view name;  ///< `scores-equal-ledger`
  std::function<Result<std::vector<std::string>>(bool repair)> run;
};

/// Everything that the runtime needs to know of a service, in one value. Nothing registers itself.
struct ServiceSpec {
  std::string_view name;
  runtime::Model model;
  std::vector<sql::Migration> migrations;
  std::vector<log::TopicConfig> topics;  ///< that it publishes to
  std::vector<http::Route> routes;
  std::function<void()> prepare = [] {};  ///< once, before the consumers start; may take its time, throws
  std::vector<delivery::Subscription> consumers;
  std::vector<Background> background;
  std::vector<Sweep> sweeps;
  std::vector<AuditCheck> audits;
  std::function<bool()> ready = [] { return true; };  ///< part of /readyz
  std::shared_ptr<void> state;  ///< what handlers refer to; destroyed after everything has stopped
};

}  // namespace ekiden::services
