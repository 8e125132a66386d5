-- What is measured: the values of one meter (empty: of none), usage point and reading type are a series. Series that
-- were first told together have neighbouring numbers; 256 of one reading type are a bunch.
CREATE TABLE series (
    id           bigint PRIMARY KEY,
    usage_point  text   NOT NULL,
    reading_type text   NOT NULL,
    meter        text   NOT NULL,
    UNIQUE (usage_point, reading_type, meter)
);

CREATE INDEX series_of_type ON series (reading_type, id);

-- The meters that were put, exchanged or removed, one row for each time; who keeps in memory where meters are looks here.
CREATE TABLE moved (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter  text   NOT NULL
);

-- Which meters moved since the "number" that was seen last. Until the transaction ends no other moves.
CREATE FUNCTION moved_since(seen bigint) RETURNS SETOF moved LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('moved', 0));
    RETURN QUERY SELECT * FROM moved WHERE moved.number > seen ORDER BY moved.number;
END
$$;

-- A meter moves; waits until nobody relies any more on where it was.
CREATE FUNCTION move(mrid text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('moved', 0));
    INSERT INTO moved (meter) VALUES (mrid);
END
$$;

ALTER TABLE block RENAME TO block_before;
ALTER INDEX block_pkey RENAME TO block_before_pkey;

-- The values of one market day; a row is never changed, the highest version counts. "numbers" are big-endian, of
-- "width" bytes each (4 or 8), the least one where no value is known; a value is its number times 10 to the "scale".
-- "runs" are pairs of two bytes each: how many values have which of the "origins"; without any all have the first.
CREATE TABLE block (
    market_day  date        NOT NULL,
    series      bigint      NOT NULL,
    version     integer     NOT NULL,
    scale       smallint    NOT NULL,
    width       smallint    NOT NULL,
    numbers     bytea       NOT NULL,
    runs        bytea,
    origins     jsonb       NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (market_day, series, version)
) PARTITION BY RANGE (market_day);

ALTER TABLE block ALTER COLUMN numbers SET STORAGE EXTERNAL;

-- Makes the partitions of these days, by months, where they are missing; the months that were there before.
CREATE FUNCTION have_months(days date[]) RETURNS SETOF date LANGUAGE plpgsql AS $$
DECLARE
    first date;
    partition text;
BEGIN
    FOR first IN SELECT DISTINCT date_trunc('month', day)::date FROM unnest(days) AS day ORDER BY 1 LOOP
        partition := 'block_' || to_char(first, 'YYYYMM');
        IF to_regclass(partition) IS NOT NULL THEN
            RETURN NEXT first;
        ELSE
            PERFORM pg_advisory_xact_lock(hashtextextended('have_months', 0));
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS %I PARTITION OF block FOR VALUES FROM (%L) TO (%L)',
                partition, first, (first + interval '1 month')::date
            );
        END IF;
    END LOOP;
END
$$;

INSERT INTO series (id, usage_point, reading_type, meter)
SELECT (256 * dense_rank() OVER (ORDER BY reading_type, place / 256)) + place % 256, usage_point, reading_type, meter
FROM (
    SELECT usage_point, reading_type, meter,
           row_number() OVER (PARTITION BY reading_type ORDER BY usage_point, meter) - 1 AS place
    FROM (SELECT DISTINCT usage_point, reading_type, meter FROM block_before) AS told
) AS placed;

SELECT count(*) FROM have_months((SELECT array_agg(DISTINCT market_day) FROM block_before));

INSERT INTO block (market_day, series, version, scale, width, numbers, runs, origins, recorded_at)
SELECT b.market_day, s.id, b.version, b.scale, 8, v.numbers, v.runs, b.origins, b.recorded_at
FROM block_before AS b
JOIN series AS s USING (usage_point, reading_type, meter)
CROSS JOIN LATERAL (
    SELECT string_agg(int8send(coalesce(number, -9223372036854775808)), ''::bytea ORDER BY place) AS numbers,
           string_agg(int2send(1::smallint) || int2send(greatest(mark, 0::smallint)), ''::bytea ORDER BY place) AS runs
    FROM unnest(b.numbers, b.marks) WITH ORDINALITY AS told (number, mark, place)
) AS v;

DROP TABLE block_before;
