-- The projection: derived from the ledger, never the source of anything. This file may be deleted while
-- the server is down. `workspace` is the workspace's number in the ledger database.

CREATE TABLE cursors (
    workspace INTEGER PRIMARY KEY,
    -- Entries below this index are projected.
    size      INTEGER NOT NULL,
    -- Leaf hash of the last of them: lists of another history than the ledger's are thrown away.
    leaf_hash BLOB NOT NULL
) STRICT;

-- Decisions in blocks of neighbours, oldest first. `id` is the workspace's number times 2^42 plus the index of the
-- first decision.
CREATE TABLE blocks (
    id   INTEGER PRIMARY KEY,
    rows BLOB NOT NULL
) STRICT;

-- What may be in the block of the same id: times, and a Bloom filter over every value that can be asked for. So a
-- search reads a thousand bytes for a block that has nothing, and writing keeps no index.
CREATE TABLE summaries (
    id    INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;
