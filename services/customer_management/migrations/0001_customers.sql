-- Customers, accounts, service locations and locations of usage points, as they were configured last. Identity stands
-- here and nowhere else: what others hear of a customer is the mRID.
CREATE TABLE document (
    kind text  NOT NULL,
    mrid text  NOT NULL,
    noun jsonb NOT NULL,
    PRIMARY KEY (kind, mrid)
);

-- Who changes what is agreed about a usage point locks its row first.
CREATE TABLE usage_point (
    mrid text PRIMARY KEY
);

CREATE TABLE agreement (
    mrid      text        PRIMARY KEY,
    state     text        NOT NULL,
    direction text        NOT NULL,
    customer  text        NOT NULL,
    starts    timestamptz NOT NULL,
    ends      timestamptz,
    noun      jsonb       NOT NULL
);

CREATE INDEX agreement_customer ON agreement (customer);

CREATE TABLE agreement_point (
    usage_point text NOT NULL,
    agreement   text NOT NULL REFERENCES agreement (mrid),
    PRIMARY KEY (usage_point, agreement)
);

-- One open ticket for each usage point; calls that wait for the word of fault management.
CREATE TABLE trouble_ticket (
    mrid        text    PRIMARY KEY,
    usage_point text    NOT NULL,
    outage      text,
    open        boolean NOT NULL,
    noun        jsonb   NOT NULL
);

CREATE UNIQUE INDEX ticket_open ON trouble_ticket (usage_point) WHERE open;

CREATE TABLE waiting_call (
    ticket text PRIMARY KEY,
    noun   jsonb NOT NULL
);

-- What customers know of an outage; "known" is the whole value of the domain.
CREATE TABLE incident (
    outage text    PRIMARY KEY,
    mrid   text    NOT NULL UNIQUE,
    open   boolean NOT NULL,
    known  jsonb   NOT NULL
);

CREATE TABLE notice (
    number   bigint      GENERATED ALWAYS AS IDENTITY,
    mrid     text        PRIMARY KEY,
    outage   text        NOT NULL,
    customer text        NOT NULL,
    state    text        NOT NULL,
    due_at   timestamptz NOT NULL,
    sent_at  timestamptz,
    body     jsonb       NOT NULL
);

CREATE INDEX notice_outage ON notice (outage, customer);
CREATE INDEX notice_held ON notice (due_at) WHERE state = 'HELD';

CREATE TABLE service_request (
    mrid text  PRIMARY KEY,
    work text  UNIQUE,
    noun jsonb NOT NULL
);

CREATE TABLE planned_notification (
    mrid text  PRIMARY KEY,
    noun jsonb NOT NULL
);
