-- Everything that must not be lost. Times are microseconds since 1970; hashes, salts and nonces are raw
-- bytes; `workspace` is the workspace's number, so that its id is stored once.

CREATE TABLE installation (
    only_one         INTEGER PRIMARY KEY CHECK (only_one = 1),
    id               TEXT NOT NULL,
    admin_token_hash BLOB NOT NULL,
    created_us       INTEGER NOT NULL
) STRICT;

CREATE TABLE workspaces (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL UNIQUE,
    created_us INTEGER NOT NULL
) STRICT;

-- One row per workspace. Every write to any table below passes through an update of this row that names
-- the size and the nonce it expects, in the same transaction.
CREATE TABLE heads (
    workspace  INTEGER PRIMARY KEY REFERENCES workspaces (number),
    size       INTEGER NOT NULL,
    root       BLOB NOT NULL,
    frontier   BLOB NOT NULL,
    time_us    INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    nonce      BLOB NOT NULL,
    checkpoint TEXT NOT NULL
) STRICT;

-- Entries of one commit side by side, so that a commit costs one row whatever it brings (more only where it
-- brings very much). `id` is the workspace's number times 2^42 plus the index of the first entry.
CREATE TABLE segments (
    id          INTEGER PRIMARY KEY,
    -- How many entries.
    count       INTEGER NOT NULL,
    -- The signed note of the commit; only in the last segment of its commit.
    note        TEXT,
    -- 32 bytes per entry.
    leaf_hashes BLOB NOT NULL,
    -- Where each entry ends in `entries`, four bytes each, big-endian.
    ends        BLOB NOT NULL,
    entries     BLOB NOT NULL
) STRICT;

-- Payloads of a segment's entries, apart from the entries, because they may go. Erasing overwrites bytes and salt
-- and leaves the head: that there was a payload is no secret.
CREATE TABLE payloads (
    -- Of the segment.
    id             INTEGER PRIMARY KEY,
    -- When the first of them is to be erased; absent where none is.
    erase_after_us INTEGER,
    -- 37 bytes per payload, see `segment.rs`.
    heads          BLOB NOT NULL,
    bytes          BLOB NOT NULL
) STRICT;

CREATE INDEX payloads_to_erase ON payloads (erase_after_us) WHERE erase_after_us IS NOT NULL;

-- Ids that rise with time (UUIDv7) land side by side; ids without any order each touch a page of their own,
-- which is what makes them dear in a commit.
CREATE TABLE requests (
    workspace   INTEGER NOT NULL,
    agent       TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    entry_index INTEGER NOT NULL,
    digest      BLOB NOT NULL,
    at_us       INTEGER NOT NULL,
    PRIMARY KEY (workspace, agent, request_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE executions (
    workspace   INTEGER NOT NULL,
    entry_index INTEGER NOT NULL,
    status      TEXT NOT NULL,
    bytes       BLOB NOT NULL,
    PRIMARY KEY (workspace, entry_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE approvals (
    workspace   INTEGER NOT NULL,
    id          TEXT NOT NULL,
    entry_index INTEGER NOT NULL,
    agent       TEXT NOT NULL,
    status      TEXT NOT NULL,
    open        INTEGER NOT NULL,
    expires_us  INTEGER NOT NULL,
    bytes       BLOB NOT NULL,
    PRIMARY KEY (workspace, id)
) STRICT, WITHOUT ROWID;

-- An entry holds at most one action, and the lists page by it.
CREATE UNIQUE INDEX approvals_by_index ON approvals (workspace, entry_index);
CREATE INDEX approvals_by_status ON approvals (workspace, status, entry_index);
CREATE INDEX approvals_by_agent ON approvals (workspace, agent, entry_index);
CREATE INDEX approvals_open ON approvals (workspace, entry_index) WHERE open = 1;

CREATE TABLE documents (
    workspace INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    key       TEXT NOT NULL,
    bytes     BLOB NOT NULL,
    PRIMARY KEY (workspace, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
    workspace INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    bytes     BLOB NOT NULL,
    PRIMARY KEY (workspace, size)
) STRICT;

-- What the health probe overwrites; always one row of one size.
CREATE TABLE probe (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    beats    INTEGER NOT NULL
) STRICT;

INSERT INTO probe (only_one, beats) VALUES (1, 0);
