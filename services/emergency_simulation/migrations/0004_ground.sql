-- Temporary grounds that crews have placed: what closes onto one opens again.
CREATE TABLE ground (
    mrid       text PRIMARY KEY,
    equipment  text NOT NULL    -- the line at whose end it is
);
