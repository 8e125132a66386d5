-- What happened in the field: each operation of a switch and each flag of a fault indicator, in the order in which it
-- was heard of; "at" is when it happened.
CREATE TABLE switching_event (
    number bigint      GENERATED ALWAYS AS IDENTITY,
    mrid   text        PRIMARY KEY,
    device text        NOT NULL,
    at     timestamptz NOT NULL,
    noun   jsonb       NOT NULL
);

CREATE INDEX switching_event_of_device ON switching_event (device, at, number);
