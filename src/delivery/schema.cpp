#include "delivery/outbox.hpp"

namespace ekiden::delivery {

// outbox.position is microseconds of the wall clock, pushed on so that it grows within a key in commit order:
// the row in outbox_keys is locked until its transaction ends, so a key's next position is drawn only after
// the last one is decided. Across keys it says nothing; no reader may keep a cursor over it.
const sql::Migration kDeliveryMigration{.name = "0000_delivery", .text = R"sql(
CREATE TABLE outbox (
  event_id BYTEA PRIMARY KEY,
  position BIGINT NOT NULL,
  topic TEXT NOT NULL,
  key BYTEA NOT NULL,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  headers BYTEA NOT NULL,
  data BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  published_at BIGINT
);
CREATE INDEX outbox_unpublished ON outbox (position) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;
CREATE TABLE outbox_keys (
  key BYTEA PRIMARY KEY,
  last_position BIGINT NOT NULL
);
CREATE INDEX outbox_keys_by_position ON outbox_keys (last_position);
CREATE TABLE inbox (
  group_name TEXT NOT NULL,
  event_id BYTEA NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('applied', 'parked', 'dead', 'discarded')),
  deaths BIGINT NOT NULL DEFAULT 0,
  applied_at BIGINT NOT NULL,
  PRIMARY KEY (group_name, event_id)
);
CREATE INDEX inbox_by_time ON inbox (applied_at);
CREATE TABLE sequences (
  group_name TEXT NOT NULL,
  subject TEXT NOT NULL,
  last_sequence BIGINT NOT NULL,
  PRIMARY KEY (group_name, subject)
);
CREATE TABLE blocked_keys (
  group_name TEXT NOT NULL,
  topic TEXT NOT NULL,
  key BYTEA NOT NULL,
  log_partition BIGINT NOT NULL,
  event_id BYTEA NOT NULL,
  draining BOOLEAN NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (group_name, topic, key)
);
CREATE TABLE parked (
  group_name TEXT NOT NULL,
  event_id BYTEA NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('blocked', 'gap')),
  topic TEXT NOT NULL,
  log_partition BIGINT NOT NULL,
  log_offset BIGINT NOT NULL,
  key BYTEA NOT NULL,
  subject TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  headers BYTEA NOT NULL,
  data BYTEA NOT NULL,
  appended_at BIGINT NOT NULL,
  parked_at BIGINT NOT NULL,
  PRIMARY KEY (group_name, event_id)
);
CREATE INDEX parked_by_key ON parked (group_name, topic, key, log_offset);
CREATE INDEX parked_by_subject ON parked (group_name, subject, sequence);
CREATE TABLE idempotency (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  route TEXT NOT NULL,
  request_hash BYTEA NOT NULL,
  status BIGINT NOT NULL,
  headers BYTEA NOT NULL,
  body BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_by_time ON idempotency (created_at);
)sql"};

}  // namespace ekiden::delivery
