-- Each table becomes the first partition of one that has its name. Nothing is copied or read: what was checked before
-- says that it fits. Turns that are under way end first; the others wait for some milliseconds.
LOCK TABLE runplane.heads IN EXCLUSIVE MODE;
-- Who reads one of the tables and waits for another is let go before the database takes the two for a deadlock.
SET LOCAL lock_timeout = '100ms';

ALTER TABLE runplane.entries RENAME TO entries_first;
CREATE TABLE runplane.entries (
    workspace   bigint NOT NULL,
    entry_index bigint NOT NULL,
    leaf_hash   bytea NOT NULL,
    bytes       bytea NOT NULL,
    payload_day int,
    PRIMARY KEY (workspace, entry_index)
) PARTITION BY RANGE (entry_index);

ALTER TABLE runplane.checkpoints RENAME TO checkpoints_first;
CREATE TABLE runplane.checkpoints (
    workspace bigint NOT NULL,
    size      bigint NOT NULL,
    note      text NOT NULL,
    PRIMARY KEY (workspace, size)
) PARTITION BY RANGE (size);

ALTER TABLE runplane.executions RENAME TO executions_first;
CREATE TABLE runplane.executions (
    workspace   bigint NOT NULL,
    entry_index bigint NOT NULL,
    status      text COLLATE "C" NOT NULL,
    bytes       bytea NOT NULL,
    PRIMARY KEY (workspace, entry_index)
) PARTITION BY RANGE (entry_index);

-- A partition cannot be told by an index and be unique over all of them; each one's own key says that an entry is
-- listed once, and an entry has one time.
ALTER TABLE runplane.decisions RENAME TO decisions_first;
ALTER INDEX runplane.decisions_by_request RENAME TO decisions_first_by_request;
ALTER INDEX runplane.decisions_by_time RENAME TO decisions_first_by_time;
ALTER INDEX runplane.decisions_by_agent RENAME TO decisions_first_by_agent;
ALTER INDEX runplane.decisions_by_type RENAME TO decisions_first_by_type;
ALTER INDEX runplane.decisions_by_target RENAME TO decisions_first_by_target;
ALTER INDEX runplane.decisions_by_rule RENAME TO decisions_first_by_rule;
ALTER INDEX runplane.decisions_by_outcome RENAME TO decisions_first_by_outcome;
ALTER INDEX runplane.decisions_by_severity RENAME TO decisions_first_by_severity;
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
    bytes       bytea NOT NULL
) PARTITION BY RANGE (at_us);
CREATE INDEX decisions_by_request ON runplane.decisions (workspace, request_id, entry_index);
CREATE INDEX decisions_by_time ON runplane.decisions (workspace, at_us, entry_index);
CREATE INDEX decisions_by_agent ON runplane.decisions (workspace, agent, entry_index);
CREATE INDEX decisions_by_type ON runplane.decisions (workspace, action_type, entry_index);
CREATE INDEX decisions_by_target ON runplane.decisions (workspace, target, entry_index);
CREATE INDEX decisions_by_rule ON runplane.decisions (workspace, rule, entry_index);
CREATE INDEX decisions_by_outcome ON runplane.decisions (workspace, outcome, entry_index);
CREATE INDEX decisions_by_severity ON runplane.decisions (workspace, severity, entry_index);

DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT t.name, f.made FROM runplane.families f
        JOIN (VALUES ('ledger', 'entries'), ('ledger', 'checkpoints'), ('ledger', 'executions'), ('lists', 'decisions'))
            AS t (family, name) ON t.family = f.family
    LOOP
        EXECUTE format('ALTER TABLE runplane.%I ATTACH PARTITION runplane.%I FOR VALUES FROM (MINVALUE) TO (%s)',
            one.name, one.name || '_first', one.made);
        EXECUTE format('ALTER TABLE runplane.%I DROP CONSTRAINT %I', one.name || '_first', one.name || '_ends');
    END LOOP;
    INSERT INTO runplane.parts (family, lower, upper, name)
        SELECT family, lowest, made, 'first' FROM runplane.families;
END $$;

-- Payloads from here on. A day's partition is dropped when the day is over; `short` holds what goes sooner than in a
-- week, or had no partition of its day, and is erased row by row; `always` what nobody gave a time. That a payload was
-- there is said by its entry. What was kept before stays in `payloads` until its time has come.
CREATE TABLE runplane.kept (
    workspace      bigint NOT NULL,
    entry_index    bigint NOT NULL,
    day            int NOT NULL,
    retention      smallint NOT NULL,
    erase_after_us bigint,
    salt           bytea NOT NULL,
    bytes          bytea NOT NULL,
    PRIMARY KEY (workspace, entry_index, day)
) PARTITION BY RANGE (day);
CREATE TABLE runplane.kept_short PARTITION OF runplane.kept FOR VALUES FROM (0) TO (1);
CREATE TABLE runplane.kept_always PARTITION OF runplane.kept FOR VALUES FROM (2147483646) TO (2147483647);
CREATE INDEX kept_short_to_erase ON runplane.kept_short (workspace, erase_after_us);

-- Partitions are made by functions with the rights of whoever migrated, so that nodes need no rights to make tables.
-- A new table is attached, which no reader and no writer of the others waits for.

CREATE FUNCTION runplane.extend_ledger(reach bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    has record;
    one text;
BEGIN
    PERFORM pg_advisory_xact_lock(1380994098);
    SELECT made, width INTO has FROM runplane.families WHERE family = 'ledger';
    WHILE has.made < reach LOOP
        FOREACH one IN ARRAY ARRAY['entries', 'checkpoints', 'executions'] LOOP
            EXECUTE format('CREATE TABLE runplane.%I (LIKE runplane.%I INCLUDING ALL)', one || '_' || has.made, one);
            EXECUTE format('ALTER TABLE runplane.%I ATTACH PARTITION runplane.%I FOR VALUES FROM (%s) TO (%s)',
                one, one || '_' || has.made, has.made, has.made + has.width);
        END LOOP;
        INSERT INTO runplane.parts VALUES ('ledger', has.made, has.made + has.width, has.made);
        has.made := has.made + has.width;
    END LOOP;
    UPDATE runplane.families SET made = has.made WHERE family = 'ledger' AND made < has.made;
    RETURN has.made;
END $$;

CREATE FUNCTION runplane.extend_lists(reach bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    has   record;
    upper bigint;
    name  text;
BEGIN
    PERFORM pg_advisory_xact_lock(1380994098);
    SELECT made, width INTO has FROM runplane.families WHERE family = 'lists';
    WHILE has.made <= reach LOOP
        upper := has.made + has.width;
        -- A time without decisions is one partition, however long.
        IF reach - has.made > 4 * has.width THEN
            upper := reach / has.width * has.width;
        END IF;
        name := 'decisions_' || has.made;
        EXECUTE format('CREATE TABLE runplane.%I (LIKE runplane.decisions INCLUDING ALL)', name);
        EXECUTE format('ALTER TABLE runplane.%I ADD PRIMARY KEY (workspace, entry_index)', name);
        EXECUTE format('ALTER TABLE runplane.decisions ATTACH PARTITION runplane.%I FOR VALUES FROM (%s) TO (%s)',
            name, has.made, upper);
        INSERT INTO runplane.parts VALUES ('lists', has.made, upper, has.made);
        has.made := upper;
    END LOOP;
    UPDATE runplane.families SET made = has.made WHERE family = 'lists' AND made < has.made;
    RETURN has.made;
END $$;

CREATE FUNCTION runplane.extend_days(from_day int, to_day int) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    day int;
BEGIN
    PERFORM pg_advisory_xact_lock(1380994098);
    FOR day IN
        SELECT d FROM generate_series(greatest(from_day, 1), least(to_day, from_day + 400)) d
        WHERE NOT EXISTS (SELECT 1 FROM runplane.parts p WHERE p.family = 'payloads' AND p.lower = d)
    LOOP
        EXECUTE format('CREATE TABLE runplane.%I (LIKE runplane.kept INCLUDING ALL)', 'kept_' || day);
        EXECUTE format('ALTER TABLE runplane.kept ATTACH PARTITION runplane.%I FOR VALUES FROM (%s) TO (%s)',
            'kept_' || day, day, day + 1);
        INSERT INTO runplane.parts VALUES ('payloads', day, day + 1, day);
    END LOOP;
END $$;

-- Refuses what is not over, whoever asks: by the database's clock, or by the ledger's time where that is further. Waits
-- only a moment for readers and writers, who would have to wait behind it: its caller tries again later.
CREATE FUNCTION runplane.drop_part(from_family text, at_lower bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    gone   record;
    now_us bigint;
BEGIN
    DELETE FROM runplane.parts p WHERE p.family = from_family AND p.family IN ('lists', 'payloads')
        AND p.lower = at_lower RETURNING p.name, p.upper INTO gone;
    IF gone IS NULL THEN
        RETURN false;
    END IF;
    SELECT greatest(max(time_us), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) INTO now_us
        FROM runplane.heads;
    IF gone.upper > (CASE from_family WHEN 'payloads' THEN now_us / 86400000000 ELSE now_us END) THEN
        RAISE EXCEPTION 'the partition of % from % on is not over', from_family, at_lower
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('DROP TABLE runplane.%I',
        CASE from_family WHEN 'lists' THEN 'decisions_' ELSE 'kept_' END || gone.name);
    UPDATE runplane.families SET lowest = greatest(lowest, gone.upper) WHERE family = from_family;
    RETURN true;
END $$;
