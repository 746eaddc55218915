-- Lines of the decision list by blocks, and where each value stands by blocks, too: some hundred rows of an index for 256
-- lines in the place of nine for each. First, while older nodes go on with the lists they know: tables nobody reads yet.

CREATE TABLE IF NOT EXISTS runplane.list_blocks (
    workspace   bigint NOT NULL,
    -- Of its first line: what it is called, and where it lies for as long as it is there.
    first_index bigint NOT NULL,
    first_us    bigint NOT NULL,
    last_index  bigint NOT NULL,
    last_us     bigint NOT NULL,
    -- How many lines it has.
    count       smallint NOT NULL,
    -- How `rows` was shortened.
    coding      smallint NOT NULL,
    rows        bytea NOT NULL,
    PRIMARY KEY (workspace, first_index, first_us)
) PARTITION BY RANGE (first_us);
CREATE INDEX IF NOT EXISTS list_blocks_by_time ON runplane.list_blocks (workspace, first_us, first_index);
-- It was shortened before it came here.
ALTER TABLE runplane.list_blocks ALTER COLUMN rows SET STORAGE EXTERNAL;

-- Which block may have a line with which value in which column, as a hash of both. Too many rows say only that a block is
-- looked at for nothing, so nothing is ever taken out, and nothing is unique.
CREATE TABLE IF NOT EXISTS runplane.list_terms (
    workspace   bigint NOT NULL,
    term        bigint NOT NULL,
    first_index bigint NOT NULL,
    -- Lies in the partition of its block.
    first_us    bigint NOT NULL
) PARTITION BY RANGE (first_us);
-- All there is to know, in the order of the list.
CREATE INDEX IF NOT EXISTS list_terms_by_term ON runplane.list_terms (workspace, term, first_index) INCLUDE (first_us);
