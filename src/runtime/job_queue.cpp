#include "runtime/job_queue.hpp"

#include <algorithm>

#include "runtime/job_store.hpp"

namespace ekiden::runtime {

const sql::Migration kJobsMigration{.name = "jobs_0001", .text = R"(CREATE TABLE jobs (
  id BYTEA PRIMARY KEY,
  kind TEXT NOT NULL,
  job_key TEXT,
  payload TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'dead')),
  due_at BIGINT,
  attempts BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  progress DOUBLE PRECISION NOT NULL,
  error TEXT,
  created_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE UNIQUE INDEX jobs_key ON jobs (kind, job_key);
CREATE INDEX jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_ended ON jobs (state, ended_at);
)"};

const sql::Migration kJobsOwnerMigration{.name = "jobs_0002",
                                         .text = R"(ALTER TABLE jobs ADD COLUMN owner TEXT;
)"};

namespace {

constexpr std::string_view kStatusColumns =
    "SELECT id, kind, job_key, state, attempts, progress, error, created_at, due_at, ended_at FROM jobs ";

JobStatus status_of(const sql::Row& row) {
  JobStatus status{};
  status.id = row.id<JobId>(0);
  status.kind = row.text(1);
  status.key = row.maybe_text(2).value_or("");
  status.state = row.text(3);
  status.attempts = static_cast<int>(row.integer(4));
  status.progress = row.real(5);
  status.error = row.maybe_text(6);
  status.created_at = row.time(7);
  status.due_at = row.maybe_time(8);
  status.ended_at = row.maybe_time(9);
  return status;
}

Result<std::optional<JobStatus>> find_one(sql::Tx& tx, std::string_view where, sql::Params params) {
  EKIDEN_TRY(const sql::Rows rows,
             tx.query(std::string(kStatusColumns) + std::string(where), std::move(params)));
  if (rows.empty()) return std::optional<JobStatus>{};
  return std::optional<JobStatus>{status_of(rows[0])};
}

Error taken_over(const Job& job) {
  return {Errc::conflict, std::string(kJobTakenOver),
          "The job " + job.id.to_string() + " has another runner now."};
}

/// Changes the row of a job that is still ours.
Result<void> change_held(sql::Tx& tx, const Job& job, std::string_view assignments, sql::Params values) {
  std::string statement = "UPDATE jobs SET " + std::string(assignments) + " WHERE id = $1 AND epoch = $2";
  statement += " AND state = 'running'";
  sql::Params params{job.id, job.epoch};
  std::ranges::move(values, std::back_inserter(params));
  EKIDEN_TRY(const std::int64_t changed, tx.execute(statement, std::move(params)));
  if (changed == 0) return taken_over(job);
  return {};
}

void settle_after_commit(sql::Tx& tx, const Job& job) {
  if (job.run) tx.after_commit([run = job.run] { run->settled = true; });
}

}  // namespace

JobQueue::JobQueue(const Clock& clock, Ids& ids)
    : clock_(&clock), ids_(&ids), bell_(std::make_shared<Bell>()) {}

Result<bool> JobQueue::enqueue(sql::Tx& tx, NewJob job) const {
  const Timestamp now = clock_->now();
  const JobId id = ids_->make<JobId>();
  const sql::Value key = job.key.empty() ? sql::Value{} : sql::Value{job.key};
  auto place = job.run_at <= now ? bell_->take(job.kind) : std::nullopt;
  const Timestamp due = place ? now + place->lease : std::max(job.run_at, now);
  const std::int64_t attempts = place ? 1 : 0;
  EKIDEN_TRY(
      std::int64_t changed,
      tx.execute("INSERT INTO jobs (id, kind, job_key, payload, state, due_at, attempts, epoch, progress, "
                 "created_at, owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 0, $8, $9) "
                 "ON CONFLICT (kind, job_key) DO NOTHING",
                 {id, job.kind, key, job.payload, place ? "running" : "queued", due, attempts, now,
                  place ? sql::Value{place->owner} : sql::Value{}}));
  if (changed > 0 && place) {
    Job held{.id = id,
             .kind = std::move(job.kind),
             .key = std::move(job.key),
             .payload = std::move(job.payload),
             .epoch = 1};
    tx.after_commit(
        [place = *std::move(place), held = std::move(held)]() mutable { place.hand_over(std::move(held)); });
    return true;
  }
  if (changed == 0 && job.again_after) {
    EKIDEN_TRY(changed,
               tx.execute("UPDATE jobs SET state = 'queued', due_at = $3, payload = $4, attempts = 0, "
                          "epoch = epoch + 1, progress = 0, error = NULL, ended_at = NULL "
                          "WHERE kind = $1 AND job_key = $2 AND state IN ('done', 'dead')",
                          {job.kind, key, std::max(job.run_at, now), job.payload}));
  }
  if (changed > 0) tx.after_commit([bell = bell_] { bell->ring(); });
  return changed > 0;
}

Result<void> JobQueue::complete(sql::Tx& tx, const Job& job) const {
  EKIDEN_CHECK(change_held(
      tx, job, "state = 'done', due_at = NULL, progress = 1, error = NULL, ended_at = $3", {clock_->now()}));
  settle_after_commit(tx, job);
  return {};
}

Result<void> JobQueue::continue_later(sql::Tx& tx, const Job& job, std::string payload,
                                      Timestamp run_at) const {
  EKIDEN_CHECK(change_held(tx, job, "state = 'queued', due_at = $3, payload = $4, attempts = 0, error = NULL",
                           {std::max(run_at, clock_->now()), std::move(payload)}));
  settle_after_commit(tx, job);
  tx.after_commit([bell = bell_] { bell->ring(); });
  return {};
}

Result<void> JobQueue::set_progress(sql::Tx& tx, const Job& job, double progress) const {
  return change_held(tx, job, "progress = $3", {std::clamp(progress, 0.0, 1.0)});
}

Result<std::optional<JobStatus>> JobQueue::find(sql::Tx& tx, JobId id) const {
  return find_one(tx, "WHERE id = $1", {id});
}

Result<std::optional<JobStatus>> JobQueue::find(sql::Tx& tx, std::string_view kind,
                                                std::string_view key) const {
  return find_one(tx, "WHERE kind = $1 AND job_key = $2", {kind, key});
}

Result<std::vector<JobStatus>> JobQueue::dead(sql::Tx& tx, std::int64_t limit) const {
  EKIDEN_TRY(
      const sql::Rows rows,
      tx.query(std::string(kStatusColumns) + "WHERE state = 'dead' ORDER BY ended_at, id LIMIT $1", {limit}));
  std::vector<JobStatus> jobs;
  for (const sql::Row& row : rows) jobs.push_back(status_of(row));
  return jobs;
}

Result<bool> JobQueue::revive(sql::Tx& tx, JobId id) const {
  EKIDEN_TRY(const std::int64_t changed,
             tx.execute("UPDATE jobs SET state = 'queued', due_at = $2, attempts = 0, ended_at = NULL "
                        "WHERE id = $1 AND state = 'dead'",
                        {id, clock_->now()}));
  if (changed > 0) tx.after_commit([bell = bell_] { bell->ring(); });
  return changed > 0;
}

}  // namespace ekiden::runtime
