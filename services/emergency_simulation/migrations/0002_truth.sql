-- How the field behaves during the storm that was ordered last (Conditions as JSON); none: as the process is set.
ALTER TABLE field ADD COLUMN conditions bytea;

-- A device may be open on some of its phases: A 1, B 2, C 4.
ALTER TABLE switch ADD COLUMN open_phases integer NOT NULL DEFAULT 0;
UPDATE switch SET open_phases = 7 WHERE open;
ALTER TABLE switch DROP COLUMN open;
CREATE INDEX switch_open ON switch (mrid) WHERE open_phases <> 0;

-- When somebody lost power stands in the ledger of the truth: one line for each time in the dark.
ALTER TABLE usage_point DROP COLUMN lost_at;
CREATE INDEX usage_point_dark ON usage_point (mrid) WHERE dark;
CREATE TABLE darkness (
    usage_point  text NOT NULL,
    number       integer NOT NULL,
    began        timestamptz NOT NULL,
    ended        timestamptz,
    PRIMARY KEY (usage_point, number)
);
CREATE INDEX darkness_began ON darkness (began);
CREATE INDEX darkness_lasts ON darkness (usage_point) WHERE ended IS NULL;

-- What a device that protects remembers of its trips.
CREATE TABLE relay (
    device    text PRIMARY KEY,
    trips     integer NOT NULL,
    moved_at  timestamptz,
    enabled   boolean NOT NULL
);

-- The fault indicators that show.
CREATE TABLE flag (
    indicator  text PRIMARY KEY
);

ALTER TABLE fault
    ADD COLUMN kind text NOT NULL DEFAULT 'threePhase',
    ADD COLUMN phases integer NOT NULL DEFAULT 7,
    ADD COLUMN temporary boolean NOT NULL DEFAULT false,
    ADD COLUMN damage text NOT NULL DEFAULT 'conductor',
    ADD COLUMN hazard text,
    ADD COLUMN final boolean NOT NULL DEFAULT false,
    ADD COLUMN dead_times integer NOT NULL DEFAULT 0,
    ADD COLUMN found_at timestamptz;
UPDATE fault SET final = true WHERE device IS NOT NULL;
CREATE INDEX fault_active ON fault (mrid) WHERE struck AND NOT repaired;

-- The devices that were named for an outage, by the time in the story since when they were.
CREATE TABLE said (
    outage    text NOT NULL,
    revision  integer NOT NULL,
    at        timestamptz NOT NULL,
    devices   text[] NOT NULL,
    PRIMARY KEY (outage, revision)
);

CREATE TABLE crew (
    mrid       text PRIMARY KEY,
    since      timestamptz NOT NULL,
    longitude  double precision,
    latitude   double precision
);

-- The lines that are taken by callers, and until when.
CREATE TABLE line (
    call   text PRIMARY KEY,
    until  timestamptz NOT NULL
);
CREATE INDEX line_until ON line (until);
