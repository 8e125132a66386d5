-- From when on who has an agreement may be disconnected, after the notice that was given.
ALTER TABLE agreed ADD shut_off timestamptz;

-- Disputes of customers about a usage point or an agreement, as they were told last.
CREATE TABLE dispute (
    request     text    PRIMARY KEY,
    revision    bigint  NOT NULL,
    usage_point text,
    agreement   text,
    is_open     boolean NOT NULL
);
CREATE INDEX dispute_of_usage_point ON dispute (usage_point) WHERE is_open;
CREATE INDEX dispute_of_agreement ON dispute (agreement) WHERE is_open;
