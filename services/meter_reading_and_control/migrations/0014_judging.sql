-- What is to be judged: all bunches of a market day when it is over, and again where something came late.
CREATE TABLE to_judge (
    market_day date        NOT NULL,
    bunch      bigint      NOT NULL,
    since      timestamptz NOT NULL,
    PRIMARY KEY (market_day, bunch)
);

-- By which rule set a bunch was judged last; how many values were due by then, and how many had come.
CREATE TABLE judged (
    bunch        bigint      NOT NULL,
    market_day   date        NOT NULL,
    rule_set     text        NOT NULL,
    rule_version integer     NOT NULL,
    due          integer     NOT NULL,
    came         integer     NOT NULL,
    judged_at    timestamptz NOT NULL,
    PRIMARY KEY (bunch, market_day)
);

-- What rules found at a usage point, by the first of its series of that reading type; the highest revision counts.
-- "of_day" and the bits in "of_intervals" are rules by their place; "of_intervals" are runs: how many intervals (two
-- bytes) have which bits (four bytes).
CREATE TABLE finding (
    series       bigint      NOT NULL,
    market_day   date        NOT NULL,
    revision     integer     NOT NULL,
    rule_set     text        NOT NULL,
    rule_version integer     NOT NULL,
    of_day       bigint      NOT NULL,
    of_intervals bytea       NOT NULL,
    found_at     timestamptz NOT NULL,
    PRIMARY KEY (series, market_day, revision)
);

-- The usage of the last days of a usage point, by the first of its series of that reading type: 64 numbers of eight bytes
-- that end with "last_day", times 10 to the "scale", and for each day a byte that says what it was.
CREATE TABLE statistic (
    series   bigint   PRIMARY KEY,
    last_day date     NOT NULL,
    scale    smallint NOT NULL,
    usage    bytea    NOT NULL,
    marks    bytea    NOT NULL
);

-- What was said of the days of a month goes with its table.
CREATE OR REPLACE FUNCTION drop_month(month date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TABLE %I', 'block_' || to_char(month, 'YYYYMM'));
    DELETE FROM filled WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM finding WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM judged WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM packed WHERE packed.month = drop_month.month;
END
$$;
