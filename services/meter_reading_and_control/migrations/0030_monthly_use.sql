-- What was used on average on a day of each of the last thirteen months, by the first of the series of a usage point and
-- reading type: in its unit, the newest month last; no number where it is not known.
CREATE TABLE monthly_use (
    series     bigint             PRIMARY KEY,
    last_month date               NOT NULL,
    use        double precision[] NOT NULL
);
