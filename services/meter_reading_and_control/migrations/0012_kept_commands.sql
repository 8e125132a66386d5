-- Controls that are kept when they are over: of switches, of members of groups, and those that hold for a while.
ALTER TABLE command ADD kept boolean NOT NULL DEFAULT false;
UPDATE command SET kept = true WHERE kind IN ('connect', 'disconnect');

-- Who cancels waits like who asks.
INSERT INTO control_request
SELECT body ->> 'cancel_ticket', count(*) FROM command
WHERE state = 'CANCEL_PENDING' AND body ->> 'cancel_ticket' <> '' GROUP BY 1;
