-- What lies in the stores: as it was told, less what was used since.
CREATE TABLE material (
    mrid text  PRIMARY KEY,
    body jsonb NOT NULL
);

-- What orders were promised, and what they used of it.
CREATE TABLE reservation (
    work_order text    NOT NULL REFERENCES work_order (mrid),
    item       text    NOT NULL,
    quantity   integer NOT NULL,
    used       integer NOT NULL,
    state      text    NOT NULL,
    PRIMARY KEY (work_order, item)
);

CREATE INDEX reservation_of_item ON reservation (item) WHERE state = 'reserved';

-- Safety documents of network operation, as they were last told.
CREATE TABLE safety_document (
    mrid     text    PRIMARY KEY,
    revision integer NOT NULL,
    state    text    NOT NULL
);
