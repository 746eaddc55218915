-- How `bytes` lie in their row: 0 as they are, 1 shortened (see `coding.rs`). A publish would write megabytes otherwise.
ALTER TABLE documents ADD COLUMN coding INTEGER NOT NULL DEFAULT 0;
