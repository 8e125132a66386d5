-- The state of the ledger, one row: it is locked by whoever changes the ledger, and grows by one each time.
CREATE TABLE ledger (
    revision bigint NOT NULL
);

INSERT INTO ledger (revision) VALUES (0);

-- What was told of each outage, once for each of its revisions; "body" is the whole value of the domain.
CREATE TABLE telling (
    outage   text        NOT NULL,
    revision bigint      NOT NULL,
    heard_at timestamptz NOT NULL,
    body     jsonb       NOT NULL,
    PRIMARY KEY (outage, revision)
);

-- What each outage says of each of its usage points at present; outages may claim the same time.
CREATE TABLE claim (
    outage      text        NOT NULL,
    usage_point text        NOT NULL,
    began_at    timestamptz NOT NULL,
    ended_at    timestamptz,
    planned     boolean     NOT NULL,
    PRIMARY KEY (outage, usage_point)
);

CREATE INDEX claim_of_usage_point ON claim (usage_point);

-- The ledger: disjoint for each usage point. A line is never changed; one that is corrected ends with the state of the
-- ledger before "known_until", and the one in its place is known from then on.
CREATE TABLE entry (
    usage_point text        NOT NULL,
    outage      text        NOT NULL,
    began_at    timestamptz NOT NULL,
    ended_at    timestamptz,
    planned     boolean     NOT NULL,
    known_from  bigint      NOT NULL,
    known_until bigint,
    PRIMARY KEY (usage_point, began_at, known_from)
);

CREATE UNIQUE INDEX entry_now ON entry (usage_point, began_at) WHERE known_until IS NULL;
CREATE INDEX entry_in_time ON entry (ended_at);

-- How many customers each feeder served from "since" on.
CREATE TABLE served (
    since      timestamptz NOT NULL,
    feeder     text        NOT NULL,
    customers  bigint      NOT NULL,
    known_from bigint      NOT NULL,
    PRIMARY KEY (since, feeder)
);

-- How many customers each usage point had from "since" on, where that changed.
CREATE TABLE customer (
    usage_point text        NOT NULL,
    since       timestamptz NOT NULL,
    feeder      text        NOT NULL,
    customers   integer     NOT NULL,
    known_from  bigint      NOT NULL,
    PRIMARY KEY (usage_point, since)
);

-- The reports that were filed, each revision as it was told.
CREATE TABLE report (
    mrid         text        NOT NULL,
    revision     integer     NOT NULL,
    period_start timestamptz NOT NULL,
    period_end   timestamptz NOT NULL,
    cut_off      timestamptz NOT NULL,
    noun         jsonb       NOT NULL,
    PRIMARY KEY (mrid, revision)
);

CREATE INDEX report_in_time ON report (period_end);
