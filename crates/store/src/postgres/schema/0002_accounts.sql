-- What people sign in with. Apart from the control documents, because nothing of it may be on the ledger or in a
-- bundle of documents somebody reads. Secrets are there as hashes only. `user` is a word of SQL's own, hence `person`.

CREATE TABLE runplane.passwords (
    workspace bigint NOT NULL,
    person    text COLLATE "C" NOT NULL,
    phc       text NOT NULL,
    PRIMARY KEY (workspace, person)
);

CREATE TABLE runplane.sessions (
    hash       bytea PRIMARY KEY,
    workspace  bigint NOT NULL REFERENCES runplane.workspaces (number),
    person     text COLLATE "C" NOT NULL,
    created_us bigint NOT NULL,
    seen_us    bigint NOT NULL,
    expires_us bigint NOT NULL
);

CREATE INDEX sessions_by_person ON runplane.sessions (workspace, person);

-- One-time links. A person has one that counts; the link of a first owner names nobody yet.
CREATE TABLE runplane.links (
    hash       bytea PRIMARY KEY,
    workspace  bigint NOT NULL REFERENCES runplane.workspaces (number),
    person     text COLLATE "C",
    purpose    text NOT NULL,
    expires_us bigint NOT NULL
);

CREATE INDEX links_by_person ON runplane.links (workspace, person);
