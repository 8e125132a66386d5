-- The meters that were asked whether they have power; "outcome" is absent as long as nothing has come of it.
CREATE TABLE ping (
    mrid        text        PRIMARY KEY,
    usage_point text        NOT NULL,
    asked_at    timestamptz NOT NULL,
    outcome     text
);

CREATE INDEX ping_of_usage_point ON ping (usage_point, asked_at);
