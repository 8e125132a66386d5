-- How usage points are set up, from when on.
CREATE TABLE usage_point (
    mrid         text        NOT NULL,
    effective_at timestamptz NOT NULL,
    noun         jsonb       NOT NULL,
    PRIMARY KEY (mrid, effective_at)
);

-- For which time somebody has an agreement about a usage point, as it was told last; until for ever where "ends" is null.
CREATE TABLE agreed (
    agreement   text        NOT NULL,
    usage_point text        NOT NULL,
    revision    bigint      NOT NULL,
    starts      timestamptz,
    ends        timestamptz,
    PRIMARY KEY (agreement, usage_point)
);
CREATE INDEX agreed_usage_point ON agreed (usage_point);
