-- One row: the revision of the model in use. It is locked by whatever changes the state of the network.
CREATE TABLE network (
    model_revision integer NOT NULL
);

INSERT INTO network (model_revision) VALUES (0);

-- The feeders as they are now, in the order in which the model tells them.
CREATE TABLE feeder (
    mrid  text    PRIMARY KEY,
    place integer NOT NULL,
    noun  jsonb   NOT NULL
);

-- The last operation of each switch that was heard of, also of switches that no model has yet.
CREATE TABLE switch_position (
    device text        PRIMARY KEY,
    open   boolean     NOT NULL,
    at     timestamptz NOT NULL
);

CREATE TABLE plan (
    mrid      text    PRIMARY KEY,
    under_way boolean NOT NULL,
    noun      jsonb   NOT NULL
);

CREATE INDEX plan_under_way ON plan (mrid) WHERE under_way;
