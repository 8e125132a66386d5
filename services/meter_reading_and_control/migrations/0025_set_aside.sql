-- Market days of usage points that could not be judged, by the first of their series, with the defect; judged again
-- with their bunch, and gone when that succeeds.
CREATE TABLE set_aside (
    market_day date        NOT NULL,
    bunch      bigint      NOT NULL,
    series     bigint      NOT NULL,
    reason     text        NOT NULL,
    aside_at   timestamptz NOT NULL,
    PRIMARY KEY (market_day, bunch, series)
);

CREATE OR REPLACE FUNCTION drop_month(month date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TABLE %I', 'block_' || to_char(month, 'YYYYMM'));
    DELETE FROM filled WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM finding WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM judged WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM set_aside WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM packed WHERE packed.month = drop_month.month;
END
$$;
