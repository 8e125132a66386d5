-- What was asked of devices, one row for each device; an answered ping is taken out, what moves a switch stays.
-- Controls that were under way when this was brought in are given up: who asks for one asks again.
DROP TABLE control;

CREATE TABLE command (
    id     text        PRIMARY KEY,
    mrid   text        NOT NULL,
    device text        NOT NULL,
    kind   text        NOT NULL,
    state  text        NOT NULL,
    ticket text        NOT NULL,
    since  timestamptz NOT NULL,
    body   jsonb       NOT NULL
);
CREATE INDEX command_of_control ON command (mrid);
CREATE INDEX command_of_request ON command (ticket);
CREATE INDEX command_of_device ON command (device) WHERE kind IN ('connect', 'disconnect');
CREATE INDEX command_disconnections ON command (since) WHERE kind = 'disconnect';

-- Who wants controls that one person alone may not order.
CREATE TABLE second_word (
    word    text        NOT NULL,
    person  text        NOT NULL,
    said_at timestamptz NOT NULL,
    PRIMARY KEY (word, person)
);
