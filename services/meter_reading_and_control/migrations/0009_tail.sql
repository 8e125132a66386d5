-- Values of intervals as they come in waves, of many series at once, until they are folded into the blocks: of the
-- series of one bunch (their numbers divided by 256) the value of the interval at that "place" of the market day.
-- "members" is a byte for each value: the rest of that division. "part" follows from what is told, so what is told twice
-- is there once.
CREATE TABLE tail (
    bunch       bigint      NOT NULL,
    market_day  date        NOT NULL,
    place       smallint    NOT NULL,
    part        bigint      NOT NULL,
    scale       smallint    NOT NULL,
    width       smallint    NOT NULL,
    members     bytea       NOT NULL,
    numbers     bytea       NOT NULL,
    runs        bytea,
    origins     jsonb       NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (bunch, market_day, place, part)
);

ALTER TABLE tail ALTER COLUMN numbers SET STORAGE EXTERNAL;

-- Version 0 of a block is what was folded of the tail, and is written anew with what comes; values are seen in it and in
-- the highest version together. How many times two seconds after "recorded_at" each of its values was recorded, two
-- bytes each.
ALTER TABLE block ADD COLUMN lags bytea;

-- Of which intervals of a day some series of a bunch has a value in its block: a byte for each place that is one or
-- zero; all of them where there is none. What comes of such an interval is held against what is there.
CREATE TABLE filled (
    bunch      bigint NOT NULL,
    market_day date   NOT NULL,
    places     bytea,
    PRIMARY KEY (bunch, market_day)
);

INSERT INTO filled (bunch, market_day) SELECT DISTINCT series / 256, market_day FROM block;
