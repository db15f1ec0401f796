#include "runtime/job_store.hpp"

namespace ekiden::runtime::job_store {

namespace {

constexpr std::int64_t kPurgeMax = 1000;

Job job_of(const sql::Row& row) {
  Job job;
  job.id = row.id<JobId>(0);
  job.kind = row.text(1);
  job.key = row.maybe_text(2).value_or("");
  job.payload = row.text(3);
  job.attempt = static_cast<int>(row.integer(4)) + 1;
  job.epoch = row.integer(5) + 1;
  return job;
}

/// `$first, $first+1, …` for all kinds, whose names go to the end of `params`.
std::string kinds_list(const std::vector<KindLimits>& kinds, sql::Params& params) {
  std::string list;
  for (const KindLimits& limits : kinds) {
    params.emplace_back(limits.kind);
    list += (list.empty() ? "$" : ", $") + std::to_string(params.size());
  }
  return list;
}

int attempts_max(const std::vector<KindLimits>& kinds, const std::string& kind) {
  for (const KindLimits& limits : kinds) {
    if (limits.kind == kind) return limits.attempts_max;
  }
  return 1;
}

Result<std::optional<Timestamp>> next_due(sql::Tx& tx, const std::vector<KindLimits>& kinds) {
  sql::Params params;
  const std::string list = kinds_list(kinds, params);
  EKIDEN_TRY(const sql::Rows rows, tx.query("SELECT due_at FROM jobs WHERE due_at IS NOT NULL AND kind IN (" +
                                                list + ") ORDER BY due_at LIMIT 1",
                                            std::move(params)));
  if (rows.empty()) return std::optional<Timestamp>{};
  return std::optional<Timestamp>{rows[0].time(0)};
}

}  // namespace

Result<Claim> claim(sql::Tx& tx, const std::vector<KindLimits>& kinds, Timestamp now, const Lease& lease,
                    std::int64_t limit) {
  Claim claim;
  if (kinds.empty()) return claim;
  if (limit > 0) {
    sql::Params params{now, limit};
    const std::string list = kinds_list(kinds, params);
    EKIDEN_TRY(
        const sql::Rows rows,
        tx.query(
            "SELECT id, kind, job_key, payload, attempts, epoch FROM jobs WHERE due_at <= $1 AND kind IN (" +
                list + ") ORDER BY due_at, id LIMIT $2",
            std::move(params)));
    std::vector<sql::Params> taken;
    std::vector<sql::Params> dead;
    for (const sql::Row& row : rows) {
      Job job = job_of(row);
      if (job.attempt > attempts_max(kinds, job.kind)) {
        dead.push_back({job.id, job.epoch, now});
        claim.given_up.push_back(std::move(job));
      } else {
        taken.push_back({job.id, job.epoch, lease.until, job.attempt, lease.owner});
        claim.jobs.push_back(std::move(job));
      }
    }
    if (!taken.empty()) {
      EKIDEN_CHECK(
          tx.execute_batch("UPDATE jobs SET state = 'running', epoch = $2, due_at = $3, attempts = $4, owner "
                           "= $5 WHERE id = $1",
                           std::move(taken)));
    }
    if (!dead.empty()) {
      EKIDEN_CHECK(tx.execute_batch(
          "UPDATE jobs SET state = 'dead', epoch = $2, due_at = NULL, ended_at = $3, error = "
          "'no attempt came to an end: the program stopped in each' WHERE id = $1",
          std::move(dead)));
    }
  }
  EKIDEN_TRY(claim.next, next_due(tx, kinds));
  return claim;
}

Result<std::int64_t> reclaim(sql::Tx& tx, const std::string& owner, Timestamp now) {
  return tx.execute("UPDATE jobs SET due_at = $1 WHERE state = 'running' AND (owner = $2 OR owner IS NULL)",
                    {now, owner});
}

Result<void> settle(sql::Tx& tx, const std::vector<End>& ends, Timestamp now) {
  // One statement for all kinds of end keeps them one batch: what does not apply is NULL or zero.
  std::vector<sql::Params> sets;
  for (const End& end : ends) {
    const bool is_done = end.kind == End::Kind::done;
    const bool has_ended = is_done || end.kind == End::Kind::dead;
    const char* state = is_done ? "done" : has_ended ? "dead" : "queued";
    sql::Params set{end.job.id, end.job.epoch, state};
    set.push_back(has_ended ? sql::Value{} : sql::Value{end.due_at});
    set.push_back(has_ended ? sql::Value{now} : sql::Value{});
    set.push_back(end.error.empty() ? sql::Value{} : sql::Value{end.error});
    set.emplace_back(end.kind == End::Kind::release ? 1 : 0);
    sets.push_back(std::move(set));
  }
  if (sets.empty()) return {};
  EKIDEN_CHECK(
      tx.execute_batch("UPDATE jobs SET state = $3, due_at = $4, ended_at = $5, error = $6, "
                       "attempts = attempts - $7, progress = CASE WHEN $3 = 'done' THEN 1 ELSE progress END "
                       "WHERE id = $1 AND epoch = $2 AND state = 'running'",
                       std::move(sets)));
  return {};
}

Result<void> renew(sql::Tx& tx, const std::vector<Job>& jobs, Timestamp lease_until) {
  std::vector<sql::Params> sets;
  sets.reserve(jobs.size());
  for (const Job& job : jobs) sets.push_back({job.id, job.epoch, lease_until});
  if (sets.empty()) return {};
  EKIDEN_CHECK(tx.execute_batch(
      "UPDATE jobs SET due_at = $3 WHERE id = $1 AND epoch = $2 AND state = 'running'", std::move(sets)));
  return {};
}

Result<std::int64_t> purge(sql::Tx& tx, Timestamp before) {
  return tx.execute(
      "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = 'done' AND ended_at < $1 LIMIT $2)",
      {before, kPurgeMax});
}

Result<Counts> count(sql::Tx& tx) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query("SELECT state, COUNT(*) FROM jobs WHERE state IN ('queued', 'running', 'dead') "
                      "GROUP BY state"));
  Counts counts;
  for (const sql::Row& row : rows) {
    if (row.text(0) == "queued") counts.queued = row.integer(1);
    if (row.text(0) == "running") counts.running = row.integer(1);
    if (row.text(0) == "dead") counts.dead = row.integer(1);
  }
  return counts;
}

}  // namespace ekiden::runtime::job_store
