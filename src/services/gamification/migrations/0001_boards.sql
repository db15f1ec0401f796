CREATE TABLE ledger (
  workout_id BYTEA NOT NULL,
  board TEXT NOT NULL,
  event_id BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  delta BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workout_id, board, event_id)
);
CREATE INDEX ledger_by_member ON ledger (user_id, board);
CREATE TABLE scores (
  board TEXT NOT NULL,
  user_id BYTEA NOT NULL,
  score BIGINT NOT NULL,
  reached_at BIGINT NOT NULL,
  PRIMARY KEY (board, user_id)
);
CREATE INDEX scores_by_member ON scores (user_id);
CREATE TABLE people (
  user_id BYTEA PRIMARY KEY,
  display_name TEXT NOT NULL,
  version BIGINT NOT NULL
);
CREATE TABLE erased_users (
  user_id BYTEA PRIMARY KEY,
  erased_at BIGINT NOT NULL
);
