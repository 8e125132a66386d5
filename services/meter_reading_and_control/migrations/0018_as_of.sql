-- Since when is known how a meter is set up and where it is; what was there before the times were kept was known always.
-- What a row said before it was changed, and until when, is kept aside.
ALTER TABLE meter ADD recorded_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE installed ADD recorded_at timestamptz NOT NULL DEFAULT '-infinity';

CREATE TABLE meter_before (
    mrid         text        NOT NULL,
    effective_at timestamptz NOT NULL,
    noun         jsonb       NOT NULL,
    recorded_at  timestamptz NOT NULL,
    until        timestamptz NOT NULL
);
CREATE INDEX meter_before_mrid ON meter_before (mrid);

CREATE TABLE installed_before (
    usage_point text        NOT NULL,
    starts      timestamptz NOT NULL,
    meter       text        NOT NULL,
    ends        timestamptz,
    recorded_at timestamptz NOT NULL,
    until       timestamptz NOT NULL
);
CREATE INDEX installed_before_usage_point ON installed_before (usage_point);
CREATE INDEX installed_before_meter ON installed_before (meter);

CREATE FUNCTION keep_meter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO meter_before VALUES (OLD.mrid, OLD.effective_at, OLD.noun, OLD.recorded_at, NEW.recorded_at);
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_meter BEFORE UPDATE ON meter FOR EACH ROW EXECUTE FUNCTION keep_meter();

CREATE FUNCTION keep_installed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO installed_before
    VALUES (OLD.usage_point, OLD.starts, OLD.meter, OLD.ends, OLD.recorded_at, NEW.recorded_at);
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_installed BEFORE UPDATE ON installed FOR EACH ROW EXECUTE FUNCTION keep_installed();
