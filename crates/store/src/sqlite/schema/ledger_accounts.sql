-- What people sign in with. Apart from the control documents, because nothing of it may be on the ledger or in a
-- bundle of documents somebody reads. Secrets are there as hashes only.

CREATE TABLE passwords (
    workspace INTEGER NOT NULL,
    user      TEXT NOT NULL,
    phc       TEXT NOT NULL,
    PRIMARY KEY (workspace, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    hash       BLOB PRIMARY KEY,
    workspace  INTEGER NOT NULL,
    user       TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    seen_us    INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (workspace, user);

-- One-time links. A person has one that counts; the link of a first owner names nobody yet.
CREATE TABLE links (
    hash       BLOB PRIMARY KEY,
    workspace  INTEGER NOT NULL,
    user       TEXT,
    purpose    TEXT NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX links_by_user ON links (workspace, user);
