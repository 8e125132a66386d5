-- What was assumed of each version, as it is listed.
ALTER TABLE model ADD COLUMN findings jsonb NOT NULL DEFAULT '[]';

-- The difference that made a version, with its exact statements.
CREATE TABLE difference (
    revision integer PRIMARY KEY REFERENCES model (revision),
    mrid     text    NOT NULL,
    noun     jsonb   NOT NULL,
    forward  bytea   NOT NULL,
    reverse  bytea   NOT NULL
);

CREATE INDEX difference_mrid ON difference (mrid, revision);
