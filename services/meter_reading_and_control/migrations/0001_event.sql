-- Where each meter was last said to be.
CREATE TABLE installation (
    meter       text        PRIMARY KEY,
    usage_point text        NOT NULL,
    said_at     timestamptz NOT NULL
);

-- Every event, also what is not passed on; "dropped" says why, "repeats" counts how often it was told again.
CREATE TABLE event (
    meter       text        NOT NULL,
    code        text        NOT NULL,
    happened_at timestamptz NOT NULL,
    usage_point text,
    dropped     text,
    repeats     integer     NOT NULL DEFAULT 0,
    noun        jsonb       NOT NULL,
    PRIMARY KEY (meter, code, happened_at)
);

CREATE INDEX event_of_usage_point ON event (usage_point, happened_at);
CREATE INDEX event_in_time ON event (happened_at);
CREATE INDEX event_dropped ON event (dropped) WHERE dropped IS NOT NULL;
