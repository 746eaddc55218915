-- Decisions counted per minute and per hour, by what was decided about what. The lists are made again, so that what
-- was projected before is counted too.
CREATE TABLE tallies (
    workspace INTEGER NOT NULL,
    -- Length of the stretch in microseconds.
    span_us   INTEGER NOT NULL,
    dimension TEXT NOT NULL,
    start_us  INTEGER NOT NULL,
    key       TEXT NOT NULL,
    allowed   INTEGER NOT NULL,
    held      INTEGER NOT NULL,
    blocked   INTEGER NOT NULL,
    PRIMARY KEY (workspace, span_us, dimension, start_us, key)
) STRICT, WITHOUT ROWID;

DELETE FROM blocks;
DELETE FROM summaries;
DELETE FROM cursors;
