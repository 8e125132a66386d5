-- The switching plan of which an operation was a step.
ALTER TABLE operation ADD COLUMN plan text;

-- What was heard lately, and what was ever heard of the work at a meter.
CREATE INDEX evidence_lately ON evidence (happened_at);
CREATE INDEX evidence_of_meter ON evidence (usage_point, happened_at)
    WHERE kind IN ('connected', 'disconnected', 'installed', 'removed');
