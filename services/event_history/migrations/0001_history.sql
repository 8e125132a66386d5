-- The end of the chain of each lane; its row is locked by whoever appends.
CREATE TABLE head (
    lane   text   PRIMARY KEY,
    number bigint NOT NULL,
    hash   bytea  NOT NULL
);

-- The messages themselves, each content once.
CREATE TABLE body (
    hash    bytea PRIMARY KEY,
    content bytea NOT NULL
);

-- One row for each message, never changed. A stream that is made anew begins its sequence again, so its place is
-- known by the time too.
CREATE TABLE record (
    lane           text        NOT NULL,
    number         bigint      NOT NULL,
    sequence       bigint      NOT NULL,
    stored_at      timestamptz NOT NULL,
    context_at     timestamptz NOT NULL,
    subject        text        NOT NULL,
    source         text        NOT NULL,
    noun           text        NOT NULL,
    verb           text        NOT NULL,
    message_id     text,
    correlation_id text,
    time_stamp     timestamptz,
    content_type   text        NOT NULL,
    size           integer     NOT NULL,
    content_hash   bytea       NOT NULL,
    hash           bytea       NOT NULL,
    PRIMARY KEY (lane, number),
    UNIQUE (lane, sequence, stored_at)
);

CREATE INDEX record_time ON record (stored_at, lane, number);
CREATE INDEX record_thread ON record (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX record_message ON record (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX record_content ON record (content_hash);

-- Which objects a message names.
CREATE TABLE mention (
    mrid   text   NOT NULL,
    lane   text   NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (mrid, lane, number)
);
