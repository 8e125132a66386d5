-- What a plan was checked against, and whether a step of it may still be carried out in the field although it has ended.
ALTER TABLE plan ADD COLUMN basis jsonb;
ALTER TABLE plan ADD COLUMN awaited boolean NOT NULL DEFAULT false;

CREATE INDEX plan_awaited ON plan (mrid) WHERE awaited;

-- All tags that ever were; those that hang or are to hang are not removed.
CREATE TABLE tag (
    mrid    text    PRIMARY KEY,
    removed boolean NOT NULL,
    noun    jsonb   NOT NULL
);

CREATE INDEX tag_that_hangs ON tag (mrid) WHERE NOT removed;

-- All clearances with the nodes that they protect.
CREATE TABLE clearance (
    mrid text    PRIMARY KEY,
    over boolean NOT NULL,
    zone jsonb   NOT NULL,
    noun jsonb   NOT NULL
);

CREATE INDEX clearance_that_is_not_over ON clearance (mrid) WHERE NOT over;

-- Grounds, jumpers and cuts that are in place, in the order in which they were placed.
CREATE TABLE temporary (
    number bigint GENERATED ALWAYS AS IDENTITY,
    mrid   text   PRIMARY KEY,
    value  jsonb  NOT NULL
);

-- Sections that were tested dead and have stayed as they were.
CREATE TABLE proof (
    mrid  text  PRIMARY KEY,
    value jsonb NOT NULL
);

-- Whether a device closes again by itself, as it was last heard.
CREATE TABLE reclosing (
    device  text        PRIMARY KEY,
    enabled boolean     NOT NULL,
    at      timestamptz NOT NULL
);

-- What fault management tells of outages: "area" is what switching has to heed, null when it is nothing.
CREATE TABLE outage (
    mrid     text    PRIMARY KEY,
    revision integer NOT NULL,
    area     jsonb
);
