-- One row: whoever changes what is kept locks it first.
CREATE TABLE register (
    changes bigint NOT NULL
);

INSERT INTO register (changes) VALUES (0);

-- The catalogue, and the models in it by their own identity. "digest" is that of what was sent, by which the same
-- message is known again.
CREATE TABLE catalogue_type (
    mrid   text  PRIMARY KEY,
    digest text  NOT NULL,
    noun   jsonb NOT NULL
);

CREATE TABLE product_model (
    mrid           text PRIMARY KEY,
    catalogue_type text NOT NULL REFERENCES catalogue_type (mrid)
);

-- The assets as they are known now: what is true of the thing itself. Its states, its positions and its locations
-- stand apart, each with its time. "maker" is the model, or the type where there is none: a serial number is used once.
CREATE TABLE asset (
    mrid      text    PRIMARY KEY,
    revision  integer NOT NULL,
    maker     text    NOT NULL,
    serial    text,
    type      text,
    digest    text    NOT NULL,
    band      text,
    scored_at timestamptz,
    noun      jsonb   NOT NULL
);

CREATE UNIQUE INDEX asset_serial ON asset (maker, serial);
CREATE INDEX asset_of_serial ON asset (serial);
CREATE INDEX asset_of_type ON asset (lower(type));
CREATE INDEX asset_to_score ON asset (scored_at NULLS FIRST, mrid);

CREATE TABLE asset_revision (
    mrid        text        NOT NULL REFERENCES asset (mrid),
    revision    integer     NOT NULL,
    recorded_at timestamptz NOT NULL,
    noun        jsonb       NOT NULL,
    PRIMARY KEY (mrid, revision)
);

-- What was told of lives, never changed; "refused" says why a fact does not fit what else is known, "moved_out" is the
-- asset that made room. An asset need not be known yet.
CREATE TABLE fact (
    id          text        PRIMARY KEY,
    asset       text,
    position    text,
    replaces    text,
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    refused     text,
    moved_out   text,
    body        jsonb       NOT NULL
);

CREATE INDEX fact_of_asset ON fact (asset);
CREATE INDEX fact_at_position ON fact (position);
CREATE INDEX fact_of_replaced ON fact (replaces);
CREATE INDEX fact_of_moved_out ON fact (moved_out);

-- What follows from the facts, valid from "starts" until before "ends". A row that is corrected ends its being known
-- and stays. The exclusion constraints hold what is known now to one state and one position for each asset, and one
-- asset for each position. Equality of texts has no place in GiST without an extension, so their hashes of 64 bits
-- stand as ranges of one number.
CREATE TABLE span (
    asset       text        NOT NULL,
    state       text        NOT NULL,
    position    text,
    starts      timestamptz NOT NULL,
    ends        timestamptz,
    known_from  timestamptz NOT NULL,
    known_until timestamptz,
    CHECK (ends > starts),
    CONSTRAINT one_position_for_each_asset EXCLUDE USING gist (
        int8range(hashtextextended(asset, 0), hashtextextended(asset, 0), '[]') WITH &&,
        tstzrange(starts, ends) WITH &&
    ) WHERE (known_until IS NULL),
    CONSTRAINT one_asset_at_each_position EXCLUDE USING gist (
        int8range(hashtextextended(position, 0), hashtextextended(position, 0), '[]') WITH &&,
        tstzrange(starts, ends) WITH &&
    ) WHERE (known_until IS NULL AND position IS NOT NULL)
);

CREATE INDEX span_of_asset ON span (asset, starts);
CREATE INDEX span_at_position ON span (position, starts);

-- Where assets are, from when on; "location" is the identity of the place, if it has one.
CREATE TABLE placement (
    asset       text        NOT NULL,
    since       timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    location    text,
    noun        jsonb       NOT NULL,
    PRIMARY KEY (asset, since, recorded_at)
);

CREATE INDEX placement_at_location ON placement (location);

-- What else happened: failures, operations, remarks; to an asset, or at a position to whatever was there then.
CREATE TABLE activity (
    source      text        NOT NULL,
    place       integer     NOT NULL,
    asset       text,
    position    text,
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    type        text        NOT NULL,
    reason      text,
    severity    text,
    PRIMARY KEY (source, place)
);

CREATE INDEX activity_of_asset ON activity (asset, at);
CREATE INDEX activity_at_position ON activity (position, at);
