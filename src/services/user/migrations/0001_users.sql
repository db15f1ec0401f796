CREATE TABLE users (
  user_id BYTEA PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('member', 'organizer', 'admin')),
  display_name TEXT NOT NULL,
  units TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  language TEXT NOT NULL,
  visibility TEXT NOT NULL,
  sex TEXT,
  birth_year BIGINT,
  weight_kg DOUBLE PRECISION,
  max_heart_rate_bpm BIGINT,
  resting_heart_rate_bpm BIGINT,
  threshold_power_w BIGINT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);
CREATE TABLE sessions (
  session_id BYTEA PRIMARY KEY,
  user_id BYTEA NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  user_agent TEXT NOT NULL,
  address TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);
CREATE TABLE refresh_tokens (
  token_hash BYTEA PRIMARY KEY,
  session_id BYTEA NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  used_at BIGINT
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE TABLE api_keys (
  api_key_id BYTEA PRIMARY KEY,
  user_id BYTEA NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  key_hash BYTEA NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  used_at BIGINT,
  expires_at BIGINT
);
CREATE INDEX api_keys_by_user ON api_keys (user_id, created_at);
CREATE TABLE invitations (
  invitation_id BYTEA PRIMARY KEY,
  code_hash BYTEA NOT NULL UNIQUE,
  created_by BYTEA,
  email TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_by BYTEA
);
CREATE TABLE password_resets (
  token_hash BYTEA PRIMARY KEY,
  user_id BYTEA NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);
CREATE INDEX password_resets_by_user ON password_resets (user_id);
CREATE TABLE login_failures (
  email_hash BYTEA PRIMARY KEY,
  failures BIGINT NOT NULL,
  not_before BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);
CREATE TABLE erased_users (
  user_id BYTEA PRIMARY KEY,
  erased_at BIGINT NOT NULL
);
