-- Usage points without a meter, made of others: as they were set up, from when on, and since when that is known, since
-- bills rest on it. Nothing is overwritten: of rows for one time the one that was recorded last counts.
CREATE TABLE virtual_point (
    usage_point text        NOT NULL,
    since       timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    noun        jsonb       NOT NULL,
    PRIMARY KEY (usage_point, since, recorded_at)
);
