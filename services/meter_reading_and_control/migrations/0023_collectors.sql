-- By which collector a meter is reached: the groups of the type "collector" by their members.
CREATE TABLE collected (
    meter     text NOT NULL,
    collector text NOT NULL,
    PRIMARY KEY (meter, collector)
);
CREATE INDEX collected_collector ON collected (collector);
INSERT INTO collected (meter, collector)
SELECT DISTINCT member ->> 'mRID', mrid FROM device_group, jsonb_array_elements(body -> 'EndDevices') AS member
WHERE body ->> 'type' = 'collector' AND member ->> 'mRID' IS NOT NULL;

-- What each collector of a head-end was given; whoever changes it has the lock of its head-end.
CREATE TABLE collector (
    head_end text  NOT NULL,
    name     text  NOT NULL,
    budget   jsonb NOT NULL,
    PRIMARY KEY (head_end, name)
);

-- Who waits stands behind those of his collector.
ALTER TABLE command ADD collector text NOT NULL DEFAULT '';
DROP INDEX command_in_lane;
CREATE INDEX command_in_lane ON command (head_end, lane, collector, overdue_at, id) WHERE overdue_at IS NOT NULL;
CREATE INDEX command_overdue ON command (head_end, overdue_at) WHERE overdue_at IS NOT NULL;
