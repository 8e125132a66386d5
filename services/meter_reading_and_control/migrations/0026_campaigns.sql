-- One control for many devices, told to a few of them first and then to all at a rate.
CREATE TABLE campaign (
    mrid  text  PRIMARY KEY,
    state text  NOT NULL,
    body  jsonb NOT NULL
);

-- How each device of a campaign stands, in the order in which they are told.
CREATE TABLE campaign_device (
    campaign text        NOT NULL,
    device   text        NOT NULL,
    place    integer     NOT NULL,
    state    text        NOT NULL,
    attempts integer     NOT NULL,
    due_at   timestamptz NOT NULL,
    code     text        NOT NULL,
    reason   text        NOT NULL,
    PRIMARY KEY (campaign, device)
);
CREATE INDEX campaign_device_pending ON campaign_device (campaign, place) WHERE state = 'PENDING';
CREATE INDEX campaign_device_due ON campaign_device (campaign, due_at) WHERE state = 'PENDING';
CREATE INDEX campaign_device_under_way ON campaign_device (campaign, place) WHERE state IN ('SENT', 'DONE');
