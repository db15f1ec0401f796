-- What each person's originals take: one row for each content, however many uploads hold it.
CREATE TABLE stored_originals (
  blob_hash BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  bytes BIGINT NOT NULL,
  PRIMARY KEY (blob_hash, user_id)
);
CREATE INDEX stored_originals_by_user ON stored_originals (user_id);
CREATE TABLE storage_use (
  user_id BYTEA PRIMARY KEY,
  bytes BIGINT NOT NULL
);
CREATE INDEX uploads_queued ON uploads (user_id) WHERE status = 'queued';
