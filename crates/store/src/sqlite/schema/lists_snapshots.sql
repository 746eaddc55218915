-- Pieces of snapshots: derived from the ledger, and large, so they stay out of its file.
CREATE TABLE snapshot_parts (
    workspace INTEGER NOT NULL,
    -- Entries that the snapshot stands for.
    size      INTEGER NOT NULL,
    part      INTEGER NOT NULL,
    bytes     BLOB NOT NULL,
    PRIMARY KEY (workspace, size, part)
) STRICT;
