-- Everything of one installation, in a schema of its own. Times are microseconds since 1970; hashes, salts
-- and nonces are raw bytes; `workspace` is the workspace's number, so that its id is stored once. Text is
-- compared as bytes, whatever the database's own collation.

CREATE TABLE runplane.installation (
    only_one         int PRIMARY KEY CHECK (only_one = 1),
    id               text COLLATE "C" NOT NULL,
    admin_token_hash bytea NOT NULL,
    created_us       bigint NOT NULL
);

CREATE TABLE runplane.workspaces (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         text COLLATE "C" NOT NULL UNIQUE,
    name       text COLLATE "C" NOT NULL UNIQUE,
    created_us bigint NOT NULL
);

-- One row per workspace, and its lock. Every write to any table of the ledger passes through an update of
-- this row that names the size and the nonce it expects, in the same statement. Pages are kept nearly empty
-- so that a row that changes with every commit stays where it is and its old versions are pruned in passing.
CREATE TABLE runplane.heads (
    workspace  bigint PRIMARY KEY REFERENCES runplane.workspaces (number),
    size       bigint NOT NULL,
    root       bytea NOT NULL,
    frontier   bytea NOT NULL,
    time_us    bigint NOT NULL,
    epoch      bigint NOT NULL,
    nonce      bytea NOT NULL,
    checkpoint text NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE runplane.entries (
    workspace   bigint NOT NULL,
    entry_index bigint NOT NULL,
    leaf_hash   bytea NOT NULL,
    bytes       bytea NOT NULL,
    PRIMARY KEY (workspace, entry_index)
);

-- The signed note of every commit.
CREATE TABLE runplane.checkpoints (
    workspace bigint NOT NULL,
    size      bigint NOT NULL,
    note      text NOT NULL,
    PRIMARY KEY (workspace, size)
);

-- Erasing sets salt and bytes to NULL and leaves the row: that there was a payload is no secret.
CREATE TABLE runplane.payloads (
    workspace      bigint NOT NULL,
    entry_index    bigint NOT NULL,
    retention      smallint NOT NULL,
    erase_after_us bigint,
    salt           bytea,
    bytes          bytea,
    PRIMARY KEY (workspace, entry_index)
);

CREATE INDEX payloads_to_erase ON runplane.payloads (workspace, erase_after_us)
    WHERE erase_after_us IS NOT NULL AND bytes IS NOT NULL;

-- What a client chose is kept as bytes: any text at all can be compared, and none can fail a commit.
CREATE TABLE runplane.requests (
    workspace   bigint NOT NULL,
    agent       bytea NOT NULL,
    request_id  bytea NOT NULL,
    entry_index bigint NOT NULL,
    digest      bytea NOT NULL,
    at_us       bigint NOT NULL,
    PRIMARY KEY (workspace, agent, request_id)
);

CREATE TABLE runplane.executions (
    workspace   bigint NOT NULL,
    entry_index bigint NOT NULL,
    status      text COLLATE "C" NOT NULL,
    bytes       bytea NOT NULL,
    PRIMARY KEY (workspace, entry_index)
);

CREATE TABLE runplane.approvals (
    workspace   bigint NOT NULL,
    id          text COLLATE "C" NOT NULL,
    entry_index bigint NOT NULL,
    agent       text COLLATE "C" NOT NULL,
    status      text COLLATE "C" NOT NULL,
    open        boolean NOT NULL,
    expires_us  bigint NOT NULL,
    bytes       bytea NOT NULL,
    PRIMARY KEY (workspace, id)
);

-- An entry holds at most one action, and the lists page by it.
CREATE UNIQUE INDEX approvals_by_index ON runplane.approvals (workspace, entry_index);
CREATE INDEX approvals_by_status ON runplane.approvals (workspace, status, entry_index);
CREATE INDEX approvals_by_agent ON runplane.approvals (workspace, agent, entry_index);
CREATE INDEX approvals_open ON runplane.approvals (workspace, entry_index) WHERE open;

CREATE TABLE runplane.documents (
    workspace bigint NOT NULL,
    kind      text COLLATE "C" NOT NULL,
    key       text COLLATE "C" NOT NULL,
    bytes     bytea NOT NULL,
    PRIMARY KEY (workspace, kind, key)
);

CREATE TABLE runplane.snapshots (
    workspace bigint NOT NULL,
    size      bigint NOT NULL,
    bytes     bytea NOT NULL,
    PRIMARY KEY (workspace, size)
);

-- What the health probe overwrites; always one row of one size.
CREATE TABLE runplane.probe (
    only_one int PRIMARY KEY CHECK (only_one = 1),
    beats    bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO runplane.probe (only_one, beats) VALUES (1, 0);

-- Which node does what only one should do, and until when by the database's clock.
CREATE TABLE runplane.leases (
    task     text COLLATE "C" PRIMARY KEY,
    holder   text COLLATE "C" NOT NULL,
    until    timestamptz NOT NULL
) WITH (fillfactor = 10);

-- What all nodes must have in common, such as the public halves of the keys they sign with.
CREATE TABLE runplane.shared (
    name  text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);

-- The projection: derived from the ledger, never the source of anything.
CREATE TABLE runplane.cursors (
    workspace bigint PRIMARY KEY REFERENCES runplane.workspaces (number),
    -- Entries below this index are projected.
    size      bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE runplane.decisions (
    workspace   bigint NOT NULL,
    entry_index bigint NOT NULL,
    request_id  text COLLATE "C" NOT NULL,
    at_us       bigint NOT NULL,
    agent       text COLLATE "C" NOT NULL,
    action_type text COLLATE "C" NOT NULL,
    target      text COLLATE "C" NOT NULL,
    outcome     text COLLATE "C" NOT NULL,
    rule        text COLLATE "C" NOT NULL,
    severity    text COLLATE "C" NOT NULL,
    bytes       bytea NOT NULL,
    PRIMARY KEY (workspace, entry_index)
);

-- Each filter alone finds its rows newest first. Several at once use one index and check the rest.
CREATE INDEX decisions_by_request ON runplane.decisions (workspace, request_id, entry_index);
CREATE INDEX decisions_by_time ON runplane.decisions (workspace, at_us, entry_index);
CREATE INDEX decisions_by_agent ON runplane.decisions (workspace, agent, entry_index);
CREATE INDEX decisions_by_type ON runplane.decisions (workspace, action_type, entry_index);
CREATE INDEX decisions_by_target ON runplane.decisions (workspace, target, entry_index);
CREATE INDEX decisions_by_rule ON runplane.decisions (workspace, rule, entry_index);
CREATE INDEX decisions_by_outcome ON runplane.decisions (workspace, outcome, entry_index);
CREATE INDEX decisions_by_severity ON runplane.decisions (workspace, severity, entry_index);
