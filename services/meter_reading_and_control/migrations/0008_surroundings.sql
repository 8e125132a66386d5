-- People at usage points or meters, other than for a repair; "ends" is empty while they are there.
CREATE TABLE field_work (
    work   text        NOT NULL,
    place  text        NOT NULL,
    starts timestamptz NOT NULL,
    ends   timestamptz,
    PRIMARY KEY (work, place)
);
CREATE INDEX field_work_place ON field_work (place);

-- Outages on purpose, as they were announced.
CREATE TABLE planned_outage (
    notice      text        NOT NULL,
    usage_point text        NOT NULL,
    starts      timestamptz NOT NULL,
    ends        timestamptz NOT NULL,
    PRIMARY KEY (notice, usage_point)
);
CREATE INDEX planned_outage_point ON planned_outage (usage_point);

-- What is, or was last, suspected of a usage point.
CREATE TABLE suspicion (
    usage_point text  PRIMARY KEY,
    body        jsonb NOT NULL
);
