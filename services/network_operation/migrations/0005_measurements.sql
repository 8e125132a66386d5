-- The last value of each point that telemetry tells, as it was told.
CREATE TABLE measurement (
    key       text        PRIMARY KEY,
    equipment text        NOT NULL,
    at        timestamptz NOT NULL,
    body      jsonb       NOT NULL
);

CREATE INDEX measurement_of_equipment ON measurement (equipment);

-- The switches that stand where an operator says.
CREATE INDEX standing_by_word ON standing (device) WHERE body ->> 'override' IS NOT NULL;
