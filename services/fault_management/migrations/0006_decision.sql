-- What operators decided about outages: who, when, why, what they wanted, and the revision of the outage to which it led.
CREATE TABLE decision (
    outage     text        NOT NULL,
    revision   int         NOT NULL,
    decided_at timestamptz NOT NULL,
    decided_by text        NOT NULL,
    reason     text,
    asked      jsonb       NOT NULL
);

CREATE INDEX decision_about ON decision (outage, revision);
