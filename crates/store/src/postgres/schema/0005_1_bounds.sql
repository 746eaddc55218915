-- Tables that grow without end are cut into partitions: entries, notes and outcomes by ledger index, lists by time,
-- payloads by the day on which they go. First, while older nodes go on: where what is there already ends.

CREATE TABLE IF NOT EXISTS runplane.families (
    family text COLLATE "C" PRIMARY KEY,
    -- How much the next partition takes: indexes, or microseconds.
    width  bigint NOT NULL,
    -- Partitions are there for everything from `lowest` on and below `made`.
    lowest bigint NOT NULL,
    made   bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS runplane.parts (
    family text COLLATE "C" NOT NULL,
    lower  bigint NOT NULL,
    upper  bigint NOT NULL,
    name   text COLLATE "C" NOT NULL,
    PRIMARY KEY (family, lower)
);

DO $$
DECLARE
    width     constant bigint := {width};
    day       constant bigint := 86400000000;
    longest   bigint;
    latest    bigint;
    ends      bigint;
    ends_us   bigint;
    one       record;
BEGIN
    IF (SELECT count(*) FROM pg_constraint WHERE connamespace = 'runplane'::regnamespace AND contype = 'c' AND conname IN
        ('entries_ends', 'checkpoints_ends', 'executions_ends', 'decisions_ends')) < 4 THEN
        -- Turns that are under way end first. Whoever has one of the tables below and waits for another is let go before
        -- the database takes the two for a deadlock.
        LOCK TABLE runplane.heads IN EXCLUSIVE MODE;
        SET LOCAL lock_timeout = '100ms';
    END IF;
    -- In which partition the payload of an entry is or was; absent if none was kept. Not by `IF NOT EXISTS`, which locks
    -- the table before it looks.
    IF NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 'runplane.entries'::regclass
                   AND attname = 'payload_day' AND NOT attisdropped) THEN
        ALTER TABLE runplane.entries ADD COLUMN payload_day int;
    END IF;
    SELECT coalesce(max(size), 0), coalesce(max(time_us), 0) INTO longest, latest FROM runplane.heads;
    -- Nothing may get there before the swap, however long the check of what is there takes, and however long nobody goes
    -- on with a migration that was interrupted: two thousand million entries and two months.
    ends := CASE WHEN longest = 0 THEN width ELSE (longest / width + 64) * width END;
    ends_us := (greatest(latest, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) / day
                + CASE WHEN longest = 0 THEN 2 ELSE 60 END) * day;
    INSERT INTO runplane.families (family, width, lowest, made)
        VALUES ('ledger', width, -9223372036854775808, ends), ('lists', 7 * day, -9223372036854775808, ends_us)
        ON CONFLICT (family) DO NOTHING;
    FOR one IN
        SELECT t.name, t.col, f.made FROM runplane.families f
        JOIN (VALUES ('ledger', 'entries', 'entry_index'), ('ledger', 'checkpoints', 'size'),
                     ('ledger', 'executions', 'entry_index'), ('lists', 'decisions', 'at_us')) AS t (family, name, col)
            ON t.family = f.family
    LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = one.name || '_ends'
                       AND conrelid = format('runplane.%I', one.name)::regclass) THEN
            EXECUTE format('ALTER TABLE runplane.%I ADD CONSTRAINT %I CHECK (%I < %s) NOT VALID',
                one.name, one.name || '_ends', one.col, one.made);
        END IF;
    END LOOP;
END $$;
