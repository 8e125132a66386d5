-- Each estimate of when power is back, as it was told: what it was, who said so, and whether somebody had looked.
CREATE TABLE estimate (
    outage   text        NOT NULL,
    revision int         NOT NULL,
    told_at  timestamptz NOT NULL,
    time     timestamptz NOT NULL,
    source   text        NOT NULL,
    sure     boolean     NOT NULL,
    PRIMARY KEY (outage, revision)
);

-- How long the parts of restorations took, in minutes, with what that may depend on: what later estimates are made of.
CREATE TABLE duration (
    outage   text             NOT NULL,
    part     text             NOT NULL,
    ended_at timestamptz      NOT NULL,
    device   text             NOT NULL,
    cause    text             NOT NULL,
    hours    text             NOT NULL,
    storm    boolean          NOT NULL,
    minutes  double precision NOT NULL,
    PRIMARY KEY (outage, part)
);

CREATE INDEX duration_lately ON duration (part, ended_at);
