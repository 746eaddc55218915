-- The projection: derived from the ledger, never the source of anything. This file may be deleted while
-- the server is down. `workspace` is the workspace's number in the ledger database.

CREATE TABLE cursors (
    workspace INTEGER PRIMARY KEY,
    -- Entries below this index are projected.
    size      INTEGER NOT NULL,
    -- Leaf hash of the last of them: lists of another history than the ledger's are thrown away.
    leaf_hash BLOB NOT NULL
) STRICT;

CREATE TABLE decisions (
    workspace   INTEGER NOT NULL,
    entry_index INTEGER NOT NULL,
    request_id  TEXT NOT NULL,
    at_us       INTEGER NOT NULL,
    agent       TEXT NOT NULL,
    action_type TEXT NOT NULL,
    target      TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    rule        TEXT NOT NULL,
    severity    TEXT NOT NULL,
    bytes       BLOB NOT NULL,
    PRIMARY KEY (workspace, entry_index)
) STRICT, WITHOUT ROWID;

-- Each filter alone finds its rows newest first. Several at once use one index and check the rest.
CREATE INDEX decisions_by_request ON decisions (workspace, request_id, entry_index);
CREATE INDEX decisions_by_time ON decisions (workspace, at_us, entry_index);
CREATE INDEX decisions_by_agent ON decisions (workspace, agent, entry_index);
CREATE INDEX decisions_by_type ON decisions (workspace, action_type, entry_index);
CREATE INDEX decisions_by_target ON decisions (workspace, target, entry_index);
CREATE INDEX decisions_by_rule ON decisions (workspace, rule, entry_index);
CREATE INDEX decisions_by_outcome ON decisions (workspace, outcome, entry_index);
CREATE INDEX decisions_by_severity ON decisions (workspace, severity, entry_index);
