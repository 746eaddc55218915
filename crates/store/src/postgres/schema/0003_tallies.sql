-- Decisions counted by stretches of time, beside the lists: derived from the ledger like them.

CREATE TABLE runplane.tallies (
    workspace bigint NOT NULL,
    span_us   bigint NOT NULL,
    dimension text COLLATE "C" NOT NULL,
    start_us  bigint NOT NULL,
    key       text COLLATE "C" NOT NULL,
    allowed   bigint NOT NULL,
    held      bigint NOT NULL,
    blocked   bigint NOT NULL,
    PRIMARY KEY (workspace, span_us, dimension, start_us, key)
);

-- Lists that were made before there were counts are made again.
DELETE FROM runplane.cursors;
DELETE FROM runplane.decisions;
