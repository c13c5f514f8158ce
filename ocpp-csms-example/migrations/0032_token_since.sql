-- Since when a token is its driver's: what it charged before belongs to whoever had it then.
ALTER TABLE token_terms ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
