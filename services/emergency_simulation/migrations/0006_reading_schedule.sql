-- When the head-end reads which meters, as it was told.
CREATE TABLE reading_schedule (
    mrid text  PRIMARY KEY,
    body bytea NOT NULL
);
