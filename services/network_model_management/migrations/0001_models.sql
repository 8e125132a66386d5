-- All versions with their documents; the one with the highest revision is active.
CREATE TABLE model (
    revision integer PRIMARY KEY,
    mrid     text    NOT NULL,
    sha256   text    NOT NULL,
    noun     jsonb   NOT NULL,
    document bytea   NOT NULL
);

CREATE INDEX model_mrid ON model (mrid, revision);

-- The feeders of the active model, in the order in which they are told.
CREATE TABLE feeder (
    mrid  text    PRIMARY KEY,
    place integer NOT NULL,
    noun  jsonb   NOT NULL
);
