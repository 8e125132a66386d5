-- Which state of the network is the present one: how many there were before, and what made it.
ALTER TABLE network ADD COLUMN number bigint NOT NULL DEFAULT 0, ADD COLUMN made_by text NOT NULL DEFAULT '';

-- The models that were in use, and since when.
CREATE TABLE model (
    revision   integer     PRIMARY KEY,
    adopted_at timestamptz NOT NULL
);

INSERT INTO model SELECT model_revision, now() FROM network WHERE model_revision > 0;

-- What was told last of each feeder.
CREATE TABLE feeder_told (
    mrid       text        PRIMARY KEY,
    revision   bigint      NOT NULL,
    event_time timestamptz NOT NULL
);

INSERT INTO feeder_told
SELECT mrid, (noun ->> 'revision')::bigint, (noun ->> 'eventTime')::timestamptz FROM feeder;

-- From now on the feeders stand here as built, for each model; their state follows from the rows below.
ALTER TABLE feeder ADD COLUMN model_revision integer;
UPDATE feeder SET model_revision = (SELECT model_revision FROM network);
ALTER TABLE feeder ALTER COLUMN model_revision SET NOT NULL;
ALTER TABLE feeder DROP CONSTRAINT feeder_pkey;
ALTER TABLE feeder ADD PRIMARY KEY (model_revision, mrid);

-- What is known of where each switch stands, source by source, also of switches that no model has yet.
CREATE TABLE standing (
    device text  PRIMARY KEY,
    body   jsonb NOT NULL
);

INSERT INTO standing
SELECT device, jsonb_build_object('device', device, 'telemetry', jsonb_build_object('A', seen, 'B', seen, 'C', seen))
FROM switch_position CROSS JOIN LATERAL (SELECT jsonb_build_object('open', open, 'at', at) AS seen) told;

-- The timeline: when each phase of a switch moved in the field, in whatever order that was heard of.
CREATE TABLE movement (
    number bigint      GENERATED ALWAYS AS IDENTITY,
    device text        NOT NULL,
    phase  text        NOT NULL,
    at     timestamptz NOT NULL,
    open   boolean     NOT NULL
);

CREATE INDEX movement_of_device ON movement (device, phase, at, number);
CREATE INDEX movement_at ON movement (at);

INSERT INTO movement (device, phase, at, open)
SELECT device, phase, at, open FROM switch_position CROSS JOIN unnest('{A,B,C}'::text[]) AS phase;

DROP TABLE switch_position;

-- Where all switches that had moved stood at some times, so that the past need not be told from the beginning.
CREATE TABLE snapshot (
    at   timestamptz PRIMARY KEY,
    open jsonb       NOT NULL
);
