-- What people use. distance_m, moving_ms and workout_count are the sums of the item's rows in `ledger`; what it had
-- before is in start_*. `version` grows by one with every change: it is the ETag, and what an update is checked against.
CREATE TABLE gear (
  gear_id BYTEA PRIMARY KEY,
  user_id BYTEA NOT NULL,
  version BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('shoes', 'bike', 'part', 'other')),
  component TEXT NOT NULL,
  name TEXT NOT NULL,
  brand TEXT NOT NULL,
  model TEXT NOT NULL,
  notes TEXT NOT NULL,
  price_minor BIGINT,
  currency TEXT NOT NULL,
  bought_on TEXT,
  retired_on TEXT,
  start_distance_m BIGINT NOT NULL,
  start_moving_ms BIGINT NOT NULL,
  life_distance_m BIGINT,
  life_moving_ms BIGINT,
  alert_percents TEXT NOT NULL,
  told_percent BIGINT NOT NULL,
  photo_hash BYTEA,
  photo_type TEXT NOT NULL,
  distance_m BIGINT NOT NULL,
  moving_ms BIGINT NOT NULL,
  workout_count BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);
CREATE INDEX gear_by_user ON gear (user_id, gear_id);
CREATE INDEX gear_by_photo ON gear (photo_hash) WHERE photo_hash IS NOT NULL;
-- A part on a bike, from the first instant up to, not including, the last one; NULL: it still is. The times of one part
-- do not overlap.
CREATE TABLE mountings (
  mounting_id BYTEA PRIMARY KEY,
  user_id BYTEA NOT NULL,
  version BIGINT NOT NULL,
  part_id BYTEA NOT NULL REFERENCES gear (gear_id) ON DELETE CASCADE,
  bike_id BYTEA NOT NULL REFERENCES gear (gear_id),
  mounted_at BIGINT NOT NULL,
  unmounted_at BIGINT
);
CREATE INDEX mountings_by_part ON mountings (part_id, mounted_at);
CREATE INDEX mountings_by_bike ON mountings (bike_id);
-- The living workouts as their events tell of them, and for those that name no gear which defaults they were given.
CREATE TABLE workouts (
  workout_id BYTEA PRIMARY KEY,
  user_id BYTEA NOT NULL,
  sport TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  month TEXT NOT NULL,
  distance_m BIGINT NOT NULL,
  moving_ms BIGINT NOT NULL,
  named_ids TEXT NOT NULL,
  default_ids TEXT NOT NULL
);
CREATE INDEX workouts_by_user ON workouts (user_id);
-- What each workout gives to each piece of gear: because it names it, because it was the default, or because the part was
-- mounted on a bike that it gives to.
CREATE TABLE ledger (
  gear_id BYTEA NOT NULL,
  workout_id BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('named', 'default', 'mounted')),
  started_at BIGINT NOT NULL,
  month TEXT NOT NULL,
  distance_m BIGINT NOT NULL,
  moving_ms BIGINT NOT NULL,
  PRIMARY KEY (gear_id, workout_id)
);
CREATE INDEX ledger_by_workout ON ledger (workout_id);
CREATE TABLE default_sets (
  user_id BYTEA PRIMARY KEY,
  version BIGINT NOT NULL
);
CREATE TABLE default_gear (
  user_id BYTEA NOT NULL,
  sport TEXT NOT NULL,
  gear_id BYTEA NOT NULL REFERENCES gear (gear_id) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  PRIMARY KEY (user_id, sport, gear_id)
);
CREATE INDEX default_gear_by_gear ON default_gear (gear_id);
CREATE TABLE erased_users (
  user_id BYTEA PRIMARY KEY,
  erased_at BIGINT NOT NULL
);
