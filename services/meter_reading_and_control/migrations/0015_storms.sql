-- Gaps of a bunch wait, since many of its meters were silent that day.
ALTER TABLE judged ADD held boolean NOT NULL DEFAULT false;
CREATE INDEX judged_held ON judged (market_day) WHERE held;
