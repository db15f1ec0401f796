CREATE TABLE ranking_writers (
  writer TEXT PRIMARY KEY,
  expires_at BIGINT NOT NULL
);
