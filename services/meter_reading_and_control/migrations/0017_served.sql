-- Behind which transformer and in which feeder usage points are, from when on, by the models of the network; without a
-- feeder they are nowhere. Nothing is overwritten: of rows for one time the one that was recorded last counts.
CREATE TABLE served (
    usage_point text        NOT NULL,
    since       timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    feeder      text,
    transformer text,
    PRIMARY KEY (usage_point, since, recorded_at)
);

CREATE INDEX served_by_transformer ON served (transformer);
CREATE INDEX served_by_feeder ON served (feeder);
