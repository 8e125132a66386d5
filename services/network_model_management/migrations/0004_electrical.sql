-- The electrical data of the active model's feeders, each in parts that fit in a message.
CREATE TABLE electrical (
    mrid text    NOT NULL,
    part integer NOT NULL,
    noun jsonb   NOT NULL,
    PRIMARY KEY (mrid, part)
);
