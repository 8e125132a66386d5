-- Inspections and other procedures, planned and done.
CREATE TABLE data_set (
    mrid     text        PRIMARY KEY,
    asset    text        NOT NULL,
    state    text        NOT NULL,
    at       timestamptz NOT NULL,
    revision integer     NOT NULL,
    digest   text        NOT NULL,
    noun     jsonb       NOT NULL
);

CREATE INDEX data_set_of_asset ON data_set (asset, at);

-- What laboratories and test sets found.
CREATE TABLE test_data_set (
    mrid   text        PRIMARY KEY,
    asset  text        NOT NULL,
    type   text        NOT NULL,
    at     timestamptz NOT NULL,
    digest text        NOT NULL,
    noun   jsonb       NOT NULL
);

CREATE INDEX test_data_set_of_asset ON test_data_set (asset, at);

-- Every value and every word of both, by what it is about.
CREATE TABLE observation (
    source      text        NOT NULL,
    place       integer     NOT NULL,
    asset       text        NOT NULL,
    name        text        NOT NULL,
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    word        text,
    number      double precision,
    PRIMARY KEY (source, place)
);

CREATE INDEX observation_of_asset ON observation (asset, name, at);

-- The gases of each sample of oil, in ppm.
CREATE TABLE oil_sample (
    source      text        PRIMARY KEY,
    asset       text        NOT NULL,
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    gases       jsonb       NOT NULL
);

CREATE INDEX oil_sample_of_asset ON oil_sample (asset, at);

-- Every score that was told, with all that it was counted from.
CREATE TABLE score (
    asset         text        NOT NULL,
    effective_at  timestamptz NOT NULL,
    calculated_at timestamptz NOT NULL,
    inputs_hash   text        NOT NULL,
    band          text        NOT NULL,
    value         double precision NOT NULL,
    inputs        jsonb       NOT NULL,
    noun          jsonb       NOT NULL,
    PRIMARY KEY (asset, effective_at, inputs_hash)
);

-- What is wrong, and what becomes of it; of one code an asset has one that is not over.
CREATE TABLE health_event (
    mrid   text  PRIMARY KEY,
    asset  text  NOT NULL,
    code   text  NOT NULL,
    state  text  NOT NULL,
    body   jsonb NOT NULL
);

CREATE UNIQUE INDEX health_event_open ON health_event (asset, code) WHERE state NOT IN ('VERIFIED', 'CLOSED');
