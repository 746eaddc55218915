-- How `entries` and `bytes` lie in their rows: 0 as they are, 1 shortened (see `coding.rs`).
ALTER TABLE segments ADD COLUMN coding INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payloads ADD COLUMN coding INTEGER NOT NULL DEFAULT 0;
