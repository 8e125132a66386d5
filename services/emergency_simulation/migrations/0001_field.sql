-- The field is one: whoever changes what is true in it locks this row first.
CREATE TABLE field (
    id        boolean PRIMARY KEY DEFAULT true CHECK (id),
    revision  integer NOT NULL DEFAULT 0,   -- grows with each network that is taken over
    topology  bytea,                        -- FeederTopology as JSON, in the normal state
    seed      bigint NOT NULL DEFAULT 0     -- of the scenario that was ordered last
);
INSERT INTO field DEFAULT VALUES;

CREATE TABLE switch (
    mrid  text PRIMARY KEY,
    open  boolean NOT NULL
);

CREATE TABLE usage_point (
    mrid        text PRIMARY KEY,
    customers   integer NOT NULL,
    spells      integer NOT NULL DEFAULT 0,  -- how often it lost power
    lost_at     timestamptz,                 -- when it did last
    dark        boolean NOT NULL DEFAULT false
);

CREATE TABLE scenario (
    mrid        text PRIMARY KEY,
    started_at  timestamptz NOT NULL,
    over        boolean NOT NULL DEFAULT false,
    body        bytea NOT NULL               -- TrainingScenario as JSON, as last told
);
CREATE UNIQUE INDEX one_scenario_at_a_time ON scenario (over) WHERE NOT over;

CREATE TABLE fault (
    mrid       text PRIMARY KEY,
    scenario   text NOT NULL REFERENCES scenario,
    equipment  text NOT NULL,
    cause      text NOT NULL,
    at         timestamptz NOT NULL,
    device     text,
    dark       text[] NOT NULL DEFAULT '{}',
    struck     boolean NOT NULL DEFAULT false,
    repaired   boolean NOT NULL DEFAULT false
);

CREATE TABLE outage (
    mrid          text PRIMARY KEY,
    scenario      text NOT NULL REFERENCES scenario,
    revision      integer NOT NULL,
    devices       text[] NOT NULL,
    usage_points  text[] NOT NULL,
    closed        boolean NOT NULL
);
