-- The usage point whose meter is the check meter of this one: what it tells late says something of both.
ALTER TABLE usage_point ADD checked_by text;
UPDATE usage_point SET checked_by = (
    SELECT name ->> 'name' FROM jsonb_array_elements(noun -> 'Names') AS name
    WHERE name #>> '{NameType,name}' = 'checkUsagePoint' LIMIT 1);
CREATE INDEX usage_point_checked_by ON usage_point (checked_by) WHERE checked_by IS NOT NULL;
