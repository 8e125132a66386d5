-- Each alarm as it is now; listed are those that are not over.
CREATE TABLE alarm (
    mrid   text    PRIMARY KEY,
    listed boolean NOT NULL,
    noun   jsonb   NOT NULL
);

CREATE INDEX alarm_listed ON alarm (mrid) WHERE listed;

-- Every change of every alarm, and whether it called for an operator.
CREATE TABLE alarm_record (
    number bigint      GENERATED ALWAYS AS IDENTITY,
    alarm  text        NOT NULL,
    at     timestamptz NOT NULL,
    state  text        NOT NULL,
    calls  boolean     NOT NULL,
    noun   jsonb       NOT NULL
);

CREATE INDEX alarm_record_of_alarm ON alarm_record (alarm, number);
CREATE INDEX alarm_record_calls ON alarm_record (at) WHERE calls;

-- The times with more alarms than the operators could look at.
CREATE TABLE alarm_flood (
    started timestamptz PRIMARY KEY,
    noun    jsonb       NOT NULL
);
