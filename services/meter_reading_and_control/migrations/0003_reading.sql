-- Meters as they are set up, from when on; the newest that is in force counts.
CREATE TABLE meter (
    mrid         text        NOT NULL,
    effective_at timestamptz NOT NULL,
    noun         jsonb       NOT NULL,
    PRIMARY KEY (mrid, effective_at)
);

-- Which meter is at which usage point, by order and dated; "ends" is empty while it is there.
CREATE TABLE installed (
    usage_point text        NOT NULL,
    starts      timestamptz NOT NULL,
    meter       text        NOT NULL,
    ends        timestamptz,
    PRIMARY KEY (usage_point, starts),
    CHECK (ends IS NULL OR ends > starts)
);

CREATE INDEX installed_meter ON installed (meter);

-- The values of one market day; a row is never changed, the highest version counts. "marks" says for each interval
-- which of the "origins" it has, -1 where no value is known. A value is its number times 10 to the "scale".
CREATE TABLE block (
    usage_point  text        NOT NULL,
    reading_type text        NOT NULL,
    market_day   date        NOT NULL,
    meter        text        NOT NULL,
    version      integer     NOT NULL,
    scale        smallint    NOT NULL,
    numbers      bigint[]    NOT NULL,
    marks        smallint[]  NOT NULL,
    origins      jsonb       NOT NULL,
    recorded_at  timestamptz NOT NULL,
    PRIMARY KEY (usage_point, reading_type, market_day, meter, version)
);

-- The values of registers and of the moment, in the same way.
CREATE TABLE register_read (
    usage_point  text        NOT NULL,
    reading_type text        NOT NULL,
    read_at      timestamptz NOT NULL,
    meter        text        NOT NULL,
    version      integer     NOT NULL,
    scale        smallint    NOT NULL,
    number       bigint      NOT NULL,
    origin       jsonb       NOT NULL,
    recorded_at  timestamptz NOT NULL,
    PRIMARY KEY (usage_point, reading_type, read_at, meter, version)
);

-- Readings that were not taken, and why; those whose place is not known yet are tried again when it is.
CREATE TABLE refused_reading (
    digest     text        PRIMARY KEY,
    meter      text        NOT NULL,
    source     text        NOT NULL,
    code       text        NOT NULL,
    reason     text        NOT NULL,
    refused_at timestamptz NOT NULL,
    noun       jsonb       NOT NULL
);

CREATE INDEX refused_reading_of_meter ON refused_reading (meter);
