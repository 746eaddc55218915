-- The lists are of blocks from here on, and made again from the ledger in the background. Turns have ended, because this
-- version shuts older programs out. Nothing else may come between: no partition is made, nothing listed. Who has one of the
-- tables and waits for another is let go before the database takes the two for a deadlock.

-- INVARIANT: no older program lists anything from here on. One that was still welcome when it began, and waits for this
-- table, finds that what it writes to it has another name, and all it did is undone.
ALTER TABLE runplane.cursors RENAME COLUMN size TO listed;
TRUNCATE runplane.cursors, runplane.tallies;
DROP TABLE runplane.decisions;

-- The partitions of one stretch of time, with the rights of who calls it: `extend_lists`, and below. A block that is
-- continued is written anew: where pages have room it stays where it is, and its keys with it.
CREATE FUNCTION runplane.make_lists(part text, lower bigint, upper bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one text;
    low text := CASE lower WHEN -9223372036854775808 THEN 'MINVALUE' ELSE lower::text END;
BEGIN
    EXECUTE format('CREATE TABLE runplane.%I (LIKE runplane.list_blocks INCLUDING ALL) WITH (fillfactor = 50)',
        'list_blocks_' || part);
    EXECUTE format('CREATE TABLE runplane.%I (LIKE runplane.list_terms INCLUDING ALL)', 'list_terms_' || part);
    FOREACH one IN ARRAY ARRAY['list_blocks', 'list_terms'] LOOP
        EXECUTE format('ALTER TABLE runplane.%I ATTACH PARTITION runplane.%I FOR VALUES FROM (%s) TO (%s)',
            one, one || '_' || part, low, upper);
    END LOOP;
END $$;

SELECT runplane.make_lists(name, lower, upper) FROM runplane.parts WHERE family = 'lists' ORDER BY lower;

CREATE OR REPLACE FUNCTION runplane.extend_lists(reach bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    has   record;
    upper bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1380994098);
    SELECT made, width INTO has FROM runplane.families WHERE family = 'lists';
    WHILE has.made <= reach LOOP
        upper := has.made + has.width;
        -- A time without decisions is one partition, however long.
        IF reach - has.made > 4 * has.width THEN
            upper := reach / has.width * has.width;
        END IF;
        PERFORM runplane.make_lists(has.made::text, has.made, upper);
        INSERT INTO runplane.parts VALUES ('lists', has.made, upper, has.made);
        has.made := upper;
    END LOOP;
    UPDATE runplane.families SET made = has.made WHERE family = 'lists' AND made < has.made;
    RETURN has.made;
END $$;

-- Refuses what is not over, whoever asks: by the database's clock, or by the ledger's time where that is further. Waits
-- only a moment for readers and writers, who would have to wait behind it: its caller tries again later.
CREATE OR REPLACE FUNCTION runplane.drop_part(from_family text, at_lower bigint) RETURNS boolean
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
    IF from_family = 'lists' THEN
        EXECUTE format('DROP TABLE runplane.%I, runplane.%I', 'list_blocks_' || gone.name, 'list_terms_' || gone.name);
    ELSE
        EXECUTE format('DROP TABLE runplane.%I', 'kept_' || gone.name);
    END IF;
    UPDATE runplane.families SET lowest = greatest(lowest, gone.upper) WHERE family = from_family;
    RETURN true;
END $$;
