-- What network operation tells of switches and of fault indicators: the log of what happened in the field and when.
-- "kind" is open or close, and absent for a flag; "phases" are those that moved, where not all did.
CREATE TABLE operation (
    mrid   text        PRIMARY KEY,
    device text        NOT NULL,
    phases text,
    kind   text,
    type   text,
    at     timestamptz NOT NULL
);

CREATE INDEX operation_of_device ON operation (device, at);
