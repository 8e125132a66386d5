-- Requests that wait, with how many of their commands are open; who waits for its turn at which head-end.
CREATE TABLE control_request (
    ticket text    PRIMARY KEY,
    open   integer NOT NULL
);
INSERT INTO control_request
SELECT ticket, count(*) FROM command
WHERE state IN ('ACCEPTED', 'SCHEDULED', 'SENT', 'CANCEL_PENDING') GROUP BY ticket;

ALTER TABLE command
    ADD head_end   text NOT NULL DEFAULT '',
    ADD lane       integer NOT NULL DEFAULT 4,
    ADD overdue_at timestamptz;
CREATE INDEX command_in_lane ON command (head_end, lane, overdue_at, id) WHERE overdue_at IS NOT NULL;
CREATE INDEX command_waiting_for ON command (device) WHERE overdue_at IS NOT NULL;
CREATE INDEX command_under_way ON command (device) WHERE state IN ('SENT', 'CANCEL_PENDING');

CREATE TABLE head_end (
    name   text PRIMARY KEY,
    budget jsonb
);
