-- The entries of one commit in one row, and those of its payloads that go on the same day: what a commit costs is rows, and
-- the bytes that are logged. A row of before is a row of one. Under the lock of the heads, so no turn is under way.
LOCK TABLE runplane.heads IN EXCLUSIVE MODE;
-- Who reads one of the tables and waits for another is let go before the database takes the two for a deadlock.
SET LOCAL lock_timeout = '100ms';
-- No partition is made meanwhile.
SELECT pg_advisory_xact_lock(1380994098);

-- Where each entry ends, if there are several: `entry_index` is then the first one's, `leaf_hash` the hashes of all, and
-- `payload_day` absent where it is not the same for all of them; each one's is in `payload_days`.
ALTER TABLE runplane.entries
    ADD COLUMN ends         bytea,
    ADD COLUMN coding       smallint,
    ADD COLUMN payload_days bytea;
-- What is kept of each payload, if there are several: `entry_index` is then the first one's.
ALTER TABLE runplane.kept
    ADD COLUMN heads  bytea,
    ADD COLUMN coding smallint;

-- What is worth it is shortened before it comes here.
DO $$
DECLARE
    one regclass;
BEGIN
    FOR one IN
        SELECT p.relid FROM (VALUES ('runplane.entries'::regclass), ('runplane.kept'::regclass)) t (name),
            LATERAL pg_partition_tree(t.name) p
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN bytes SET STORAGE EXTERNAL', one);
    END LOOP;
END $$;

-- The two statements of a turn as functions: their plans stay with the server's process, whoever's turn it is, also where a
-- pooler stands in between. They have the rights of who calls them.

-- The lock. What is read after the wait is as it is after the wait: each statement of a volatile function sees for itself.
CREATE FUNCTION runplane.lock_head(
    of_workspace bigint, OUT size bigint, OUT nonce bytea, OUT epoch bigint, OUT time_us bigint, OUT now_us bigint,
    OUT version bigint, OUT needs bigint
) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SELECT h.size, h.nonce, h.epoch, h.time_us FROM runplane.heads h WHERE h.workspace = of_workspace FOR UPDATE
        INTO lock_head.size, lock_head.nonce, lock_head.epoch, lock_head.time_us;
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, max(v.version), max(v.needs)
        FROM runplane.versions v INTO lock_head.now_us, lock_head.version, lock_head.needs;
END $$;

-- Exactly a batch, if the head is the one it expects: returns how many heads it moved, and writes nothing if none.
CREATE FUNCTION runplane.write_batch(
    of_workspace bigint, new_size bigint, new_root bytea, new_frontier bytea, new_time_us bigint, new_epoch bigint,
    new_nonce bytea, new_note text, old_size bigint, old_nonce bytea,
    entry_firsts bigint[], entry_hashes bytea[], entry_bytes bytea[], entry_days int[], entry_ends bytea[],
    entry_codings smallint[], entry_each_day bytea[],
    kept_firsts bigint[], kept_days int[], kept_retentions smallint[], kept_times bigint[], kept_salts bytea[],
    kept_bytes bytea[], kept_heads bytea[], kept_codings smallint[],
    request_agents bytea[], request_ids bytea[], request_indexes bigint[], request_digests bytea[], request_times bigint[],
    execution_indexes bigint[], execution_statuses text[], execution_bytes bytea[],
    approval_ids text[], approval_indexes bigint[], approval_agents text[], approval_statuses text[],
    approval_open boolean[], approval_times bigint[], approval_bytes bytea[],
    put_kinds text[], put_keys text[], put_bytes bytea[], gone_kinds text[], gone_keys text[]
) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF old_size = 0 THEN
        INSERT INTO runplane.heads (workspace, size, root, frontier, time_us, epoch, nonce, checkpoint)
            VALUES (of_workspace, new_size, new_root, new_frontier, new_time_us, new_epoch, new_nonce, new_note);
    ELSE
        UPDATE runplane.heads
            SET size = new_size, root = new_root, frontier = new_frontier, time_us = new_time_us, epoch = new_epoch,
                nonce = new_nonce, checkpoint = new_note
            WHERE workspace = of_workspace AND size = old_size AND nonce = old_nonce AND time_us <= new_time_us
                AND epoch <= new_epoch;
        IF NOT FOUND THEN
            RETURN 0;
        END IF;
    END IF;
    INSERT INTO runplane.checkpoints (workspace, size, note) VALUES (of_workspace, new_size, new_note);
    INSERT INTO runplane.entries (workspace, entry_index, leaf_hash, bytes, payload_day, ends, coding, payload_days)
        SELECT of_workspace, u.* FROM unnest(entry_firsts, entry_hashes, entry_bytes, entry_days, entry_ends, entry_codings,
            entry_each_day) u;
    IF kept_firsts IS NOT NULL THEN
        INSERT INTO runplane.kept (workspace, entry_index, day, retention, erase_after_us, salt, bytes, heads, coding)
            SELECT of_workspace, u.* FROM unnest(kept_firsts, kept_days, kept_retentions, kept_times, kept_salts, kept_bytes,
                kept_heads, kept_codings) u;
    END IF;
    IF request_ids IS NOT NULL THEN
        INSERT INTO runplane.requests (workspace, agent, request_id, entry_index, digest, at_us)
            SELECT of_workspace, u.* FROM unnest(request_agents, request_ids, request_indexes, request_digests,
                request_times) u;
    END IF;
    IF execution_indexes IS NOT NULL THEN
        INSERT INTO runplane.executions (workspace, entry_index, status, bytes)
            SELECT of_workspace, u.* FROM unnest(execution_indexes, execution_statuses, execution_bytes) u
            ON CONFLICT (workspace, entry_index) DO UPDATE SET status = excluded.status, bytes = excluded.bytes;
    END IF;
    IF approval_ids IS NOT NULL THEN
        INSERT INTO runplane.approvals (workspace, id, entry_index, agent, status, open, expires_us, bytes)
            SELECT of_workspace, u.* FROM unnest(approval_ids, approval_indexes, approval_agents, approval_statuses,
                approval_open, approval_times, approval_bytes) u
            ON CONFLICT (workspace, id) DO UPDATE SET entry_index = excluded.entry_index, agent = excluded.agent,
                status = excluded.status, open = excluded.open, expires_us = excluded.expires_us, bytes = excluded.bytes;
    END IF;
    IF put_keys IS NOT NULL THEN
        INSERT INTO runplane.documents (workspace, kind, key, bytes)
            SELECT of_workspace, u.* FROM unnest(put_kinds, put_keys, put_bytes) u
            ON CONFLICT (workspace, kind, key) DO UPDATE SET bytes = excluded.bytes;
    END IF;
    IF gone_keys IS NOT NULL THEN
        DELETE FROM runplane.documents d USING unnest(gone_kinds, gone_keys) u (kind, key)
            WHERE d.workspace = of_workspace AND d.kind = u.kind AND d.key = u.key;
    END IF;
    RETURN 1;
END $$;
