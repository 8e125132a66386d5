CREATE TABLE thing (mrid text NOT NULL, amount integer NOT NULL, times integer NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX thing_mrid ON thing (md5(mrid));
CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY, mrid text NOT NULL, text text NOT NULL, at timestamptz);
CREATE UNIQUE INDEX note_of_batch ON note (mrid) WHERE text LIKE 'batch of %';
