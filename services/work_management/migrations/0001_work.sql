-- The crews on shift. All of them are locked before orders are given out or reported on.
CREATE TABLE crew (
    mrid      text    PRIMARY KEY,
    name      text    NOT NULL,
    skills    text[]  NOT NULL,
    available boolean NOT NULL,
    capacity  integer NOT NULL
);

INSERT INTO crew (mrid, name, skills, available, capacity) VALUES
    ('c4e30000-0000-4000-8000-000000000001', 'Crew 1', '{line,service}', true, 1),
    ('c4e30000-0000-4000-8000-000000000002', 'Crew 2', '{line}', true, 1),
    ('c4e30000-0000-4000-8000-000000000003', 'Crew 3', '{line,cable}', true, 1);

CREATE TABLE request (
    mrid text  PRIMARY KEY,
    noun jsonb NOT NULL
);

-- "body" is the whole value of the domain.
CREATE TABLE work_order (
    mrid   text  PRIMARY KEY,
    status text  NOT NULL,
    crew   text  REFERENCES crew (mrid),
    body   jsonb NOT NULL
);

CREATE INDEX work_order_open ON work_order (status) WHERE status <> 'closed';

-- Every report of a crew as it came, also those that came too late to move the order.
CREATE TABLE report (
    work_order text        NOT NULL REFERENCES work_order (mrid),
    heard_at   timestamptz NOT NULL,
    noun       jsonb       NOT NULL
);

CREATE INDEX report_of_order ON report (work_order, heard_at);
