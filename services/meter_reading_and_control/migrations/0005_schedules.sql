-- What is on its way may be the intervals of a time that has passed; "period" is that time in words, empty for now.
ALTER TABLE read_under_way
    ADD COLUMN period text NOT NULL DEFAULT '',
    ADD COLUMN since  timestamptz,
    ADD COLUMN until  timestamptz,
    DROP CONSTRAINT read_under_way_pkey,
    ADD PRIMARY KEY (meter, reading_type, period);

-- When which meters are read.
CREATE TABLE read_schedule (
    mrid  text  PRIMARY KEY,
    body  jsonb NOT NULL
);

-- Each time of a schedule, by its nominal local time, so that none can be twice.
CREATE TABLE occurrence (
    schedule text        NOT NULL REFERENCES read_schedule,
    nominal  text        NOT NULL,
    due_at   timestamptz NOT NULL,
    body     jsonb       NOT NULL,
    PRIMARY KEY (schedule, nominal)
);
CREATE INDEX occurrence_due ON occurrence (schedule, due_at);
