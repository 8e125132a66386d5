-- When the disconnect switches of meters were open; the house had no supply, and that is no outage.
CREATE TABLE disconnection (
    usage_point text        NOT NULL,
    began       timestamptz NOT NULL,
    ended       timestamptz,
    PRIMARY KEY (usage_point, began)
);
CREATE UNIQUE INDEX disconnected_now ON disconnection (usage_point) WHERE ended IS NULL;

-- Orders to meters that are on their way; the ticket is that of the request.
CREATE TABLE meter_order (
    ticket text PRIMARY KEY,
    mrid   text NOT NULL
);
