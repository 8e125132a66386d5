-- The months whose blocks were packed: of each there is one row, as it was known then, in as few bytes as hold it.
CREATE TABLE packed (
    month     date        PRIMARY KEY,
    packed_at timestamptz NOT NULL
);

-- The values of registers that are too old are looked for by their time.
CREATE INDEX register_read_in_time ON register_read USING brin (read_at);

-- The months that have a table.
CREATE FUNCTION months() RETURNS SETOF date LANGUAGE sql STABLE AS $$
    SELECT to_date(right(relname, 6), 'YYYYMM') FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'block'::regclass ORDER BY 1
$$;

-- Takes away the table of a month, and what is remembered of it.
CREATE FUNCTION drop_month(month date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TABLE %I', 'block_' || to_char(month, 'YYYYMM'));
    DELETE FROM filled WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM packed WHERE packed.month = drop_month.month;
END
$$;

-- Begins a table that takes the place of that of a month; until the transaction ends nobody writes into that.
CREATE FUNCTION begin_packing(month date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', 'block_' || to_char(month, 'YYYYMM'));
    CREATE TABLE block_packed (LIKE block INCLUDING ALL);
    EXECUTE format(
        'ALTER TABLE block_packed ADD CONSTRAINT of_month CHECK (market_day >= %L AND market_day < %L)',
        month, (month + interval '1 month')::date
    );
END
$$;

-- It takes the place.
CREATE FUNCTION end_packing(month date, now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'block_' || to_char(month, 'YYYYMM');
BEGIN
    EXECUTE format('DROP TABLE %I', partition);
    EXECUTE format('ALTER INDEX block_packed_pkey RENAME TO %I', partition || '_pkey');
    EXECUTE format('ALTER TABLE block_packed RENAME TO %I', partition);
    EXECUTE format(
        'ALTER TABLE block ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        partition, month, (month + interval '1 month')::date
    );
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT of_month', partition);
    INSERT INTO packed VALUES (month, now);
END
$$;

-- Where meters are known already, what is too old is looked for from now on.
INSERT INTO wake (name, key, id, at, payload, trace)
SELECT 'retain', 'next', gen_random_uuid()::text, now(), '', '{}' WHERE EXISTS (SELECT FROM meter);
