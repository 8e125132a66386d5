-- Last gasps that wait in a storm, until those of the bellwethers are told.
ALTER TABLE event ADD held boolean NOT NULL DEFAULT false;
CREATE INDEX event_held ON event (happened_at) WHERE held;

-- How many last gasps came in when, of the last minutes; and whether that is a storm.
CREATE TABLE gasps_taken (
    taken_at timestamptz NOT NULL,
    gasps    integer     NOT NULL
);
CREATE TABLE gasp_storm (
    since      timestamptz,
    calm_since timestamptz
);
INSERT INTO gasp_storm VALUES (NULL, NULL);
