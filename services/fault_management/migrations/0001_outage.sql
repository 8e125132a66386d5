-- The last topology of each feeder that was followed; its row is locked before anything about the feeder is judged.
CREATE TABLE feeder (
    mrid          text        PRIMARY KEY,
    model_version text        NOT NULL,
    revision      bigint      NOT NULL,
    event_time    timestamptz NOT NULL,
    noun          jsonb       NOT NULL
);

-- What was heard for and against power; the key is what makes a repetition the same thing.
CREATE TABLE evidence (
    usage_point text        NOT NULL,
    happened_at timestamptz NOT NULL,
    kind        text        NOT NULL,
    source      text        NOT NULL,
    PRIMARY KEY (usage_point, happened_at, kind, source)
);

-- "over" is true for what is closed or dismissed; "body" is the whole value of the domain.
CREATE TABLE outage (
    mrid     text        PRIMARY KEY,
    feeder   text        NOT NULL,
    over     boolean     NOT NULL,
    since    timestamptz NOT NULL,
    ended_at timestamptz,
    work     text,
    body     jsonb       NOT NULL
);

CREATE INDEX outage_open ON outage (feeder) WHERE NOT over;
CREATE INDEX outage_ended ON outage (feeder, ended_at) WHERE over;
CREATE INDEX outage_work ON outage (work);

CREATE TABLE trouble_ticket (
    mrid        text        PRIMARY KEY,
    usage_point text,
    reported_at timestamptz NOT NULL,
    noun        jsonb       NOT NULL
);
