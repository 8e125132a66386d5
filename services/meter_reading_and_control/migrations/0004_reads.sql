-- Questions about the present that are not over: the meters that somebody waits for, and the whole as a value.
CREATE TABLE read_job (
    mrid   text   PRIMARY KEY,
    meters text[] NOT NULL,
    body   jsonb  NOT NULL
);
CREATE INDEX read_job_meters ON read_job USING gin (meters);

-- What the head-end was asked for and nobody has given up; the empty reading type is whatever the meter shows.
CREATE TABLE read_under_way (
    meter        text NOT NULL,
    reading_type text NOT NULL,
    question     text NOT NULL,
    PRIMARY KEY (meter, reading_type)
);
CREATE INDEX read_under_way_question ON read_under_way (question);

-- Groups of devices as they are now; a schedule looks up the members at each of its times.
CREATE TABLE device_group (
    mrid text  PRIMARY KEY,
    body jsonb NOT NULL
);
