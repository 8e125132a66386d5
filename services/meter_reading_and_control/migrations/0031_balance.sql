-- The transformer of which the meter of this usage point measures all that passes.
ALTER TABLE usage_point ADD measures text;
UPDATE usage_point SET measures = (
    SELECT name ->> 'name' FROM jsonb_array_elements(noun -> 'Names') AS name
    WHERE name #>> '{NameType,name}' = 'transformer' LIMIT 1);
CREATE INDEX usage_point_measures ON usage_point (measures) WHERE measures IS NOT NULL;

-- Transformers of which more passes than reaches those behind them: the last day of which that is known, and which
-- share of it went astray.
CREATE TABLE balance_loss (
    transformer text             PRIMARY KEY,
    market_day  date             NOT NULL,
    share       double precision NOT NULL
);
