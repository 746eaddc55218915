-- Pieces of snapshots: a snapshot is made beside the decisions, and no row of it should be large.

CREATE TABLE runplane.snapshot_parts (
    workspace bigint NOT NULL,
    -- Entries that the snapshot stands for.
    size      bigint NOT NULL,
    part      integer NOT NULL,
    bytes     bytea NOT NULL,
    PRIMARY KEY (workspace, size, part)
);
