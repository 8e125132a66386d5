-- The equipment of the network as it is built, by the newest model; "customers" depend on it.
CREATE TABLE equipment (
    mrid      text    PRIMARY KEY,
    name      text    NOT NULL,
    kind      text    NOT NULL,
    feeder    text    NOT NULL,
    node1     text    NOT NULL,
    node2     text,
    customers integer NOT NULL,
    length_m  double precision
);

CREATE INDEX equipment_at_node1 ON equipment (node1);
CREATE INDEX equipment_at_node2 ON equipment (node2);

-- Which nodes were told to be live or dead from when on, one row for each thing that network operation tells.
CREATE TABLE liveness (
    feeder   text        NOT NULL,
    at       timestamptz NOT NULL,
    revision bigint      NOT NULL,
    live     text[]      NOT NULL,
    dead     text[]      NOT NULL,
    PRIMARY KEY (feeder, at, revision)
);

CREATE INDEX liveness_of_live ON liveness USING gin (live);
CREATE INDEX liveness_of_dead ON liveness USING gin (dead);
