-- Whose sums were given to roles outside, and of which time: what differs from it by a few would tell of those.
CREATE TABLE released_sum (
    members     text[]      NOT NULL,
    starts      timestamptz NOT NULL,
    ends        timestamptz NOT NULL,
    released_at timestamptz NOT NULL
);

CREATE INDEX released_sum_members ON released_sum USING gin (members);

CREATE OR REPLACE FUNCTION drop_month(month date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TABLE %I', 'block_' || to_char(month, 'YYYYMM'));
    DELETE FROM filled WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM finding WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM judged WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM set_aside WHERE market_day >= month AND market_day < month + interval '1 month';
    DELETE FROM packed WHERE packed.month = drop_month.month;
    DELETE FROM released_sum WHERE ends <= month;
END
$$;
