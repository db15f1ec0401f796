CREATE TABLE people (
  user_id BYTEA PRIMARY KEY,
  time_zone TEXT NOT NULL,
  visibility TEXT NOT NULL,
  sex TEXT,
  max_heart_rate_bpm BIGINT,
  resting_heart_rate_bpm BIGINT,
  threshold_power_w BIGINT,
  version BIGINT NOT NULL
);
CREATE TABLE erased_users (
  user_id BYTEA PRIMARY KEY,
  erased_at BIGINT NOT NULL
);
CREATE TABLE uploads (
  upload_id BYTEA PRIMARY KEY,
  user_id BYTEA NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('queued', 'ready', 'failed', 'duplicate')),
  name TEXT NOT NULL,
  sport TEXT,
  visibility TEXT,
  gear_ids TEXT NOT NULL,
  external_id TEXT NOT NULL,
  content_hash BYTEA NOT NULL,
  files_total BIGINT NOT NULL,
  files_done BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX uploads_by_user ON uploads (user_id, created_at, upload_id);
CREATE INDEX uploads_by_content ON uploads (user_id, content_hash);
-- A file of an upload, or an entry of one of its archives (entry is its place there, and blob_hash the archive's).
-- holds_blob: the blob lives because of this row.
CREATE TABLE upload_files (
  upload_id BYTEA NOT NULL REFERENCES uploads (upload_id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('queued', 'ready', 'failed', 'duplicate', 'unpacked')),
  blob_hash BYTEA,
  holds_blob BOOLEAN NOT NULL,
  entry BIGINT,
  workout_ids TEXT NOT NULL,
  problem TEXT,
  PRIMARY KEY (upload_id, number)
);
CREATE INDEX upload_files_by_blob ON upload_files (blob_hash) WHERE holds_blob;
CREATE TABLE workouts (
  workout_id BYTEA PRIMARY KEY,
  user_id BYTEA NOT NULL,
  version BIGINT NOT NULL,
  sport TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  start_time BIGINT NOT NULL,
  time_zone TEXT,
  utc_offset_s BIGINT,
  local_date TEXT,
  distance_m BIGINT NOT NULL,
  elapsed_ms BIGINT NOT NULL,
  timer_ms BIGINT NOT NULL,
  moving_ms BIGINT NOT NULL,
  elevation_gain_m DOUBLE PRECISION,
  elevation_loss_m DOUBLE PRECISION,
  average_speed_mps DOUBLE PRECISION,
  max_speed_mps DOUBLE PRECISION,
  average_heart_rate_bpm DOUBLE PRECISION,
  max_heart_rate_bpm DOUBLE PRECISION,
  average_cadence_rpm DOUBLE PRECISION,
  average_power_w DOUBLE PRECISION,
  calories_kcal DOUBLE PRECISION,
  training_load DOUBLE PRECISION,
  point_count BIGINT NOT NULL,
  details TEXT NOT NULL,
  gear_ids TEXT NOT NULL,
  visibility TEXT NOT NULL,
  unranked_reason TEXT,
  source TEXT NOT NULL,
  upload_id BYTEA,
  file_number BIGINT,
  activity_index BIGINT,
  content_hash BYTEA,
  device_id TEXT,
  external_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);
CREATE INDEX workouts_by_user ON workouts (user_id, start_time, workout_id);
CREATE INDEX workouts_by_content ON workouts (user_id, content_hash) WHERE content_hash IS NOT NULL;
CREATE INDEX workouts_by_device ON workouts (user_id, device_id) WHERE device_id IS NOT NULL;
CREATE INDEX workouts_by_upload ON workouts (upload_id, file_number) WHERE upload_id IS NOT NULL;
CREATE TABLE workout_streams (
  workout_id BYTEA PRIMARY KEY REFERENCES workouts (workout_id) ON DELETE CASCADE,
  samples BYTEA NOT NULL,
  laps TEXT NOT NULL,
  splits TEXT NOT NULL
);
CREATE TABLE deleted_workouts (
  workout_id BYTEA PRIMARY KEY,
  user_id BYTEA NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX deleted_workouts_by_user ON deleted_workouts (user_id);
-- Blobs that nothing refers to. An upload of the same content looks here: one that is being removed, or was removed
-- since the upload began, must be stored anew.
CREATE TABLE blob_removals (
  blob_hash BYTEA PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'removing', 'removed')),
  changed_at BIGINT NOT NULL
);
CREATE INDEX blob_removals_by_time ON blob_removals (changed_at);
