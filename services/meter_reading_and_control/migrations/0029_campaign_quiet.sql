-- Controls of loads that are not over: meanwhile a campaign leaves the device alone.
CREATE INDEX command_loads ON command (device)
    WHERE kind = 'loadControl' AND state NOT IN ('FAILED', 'CANCELLED', 'CLOSED');

-- When the meter of a usage point took what it was told about itself, such as new software, and by which control.
CREATE TABLE reconfigured (
    usage_point text        NOT NULL,
    at          timestamptz NOT NULL,
    control     text        NOT NULL,
    PRIMARY KEY (usage_point, at)
);
