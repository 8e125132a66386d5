CREATE TABLE thing (mrid text PRIMARY KEY, amount integer NOT NULL, times integer NOT NULL DEFAULT 0);
CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY, mrid text NOT NULL, text text NOT NULL, at timestamptz);
