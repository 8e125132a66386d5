CREATE TABLE thing (mrid text PRIMARY KEY, amount integer NOT NULL);
INSERT INTO thing (mrid, amount) SELECT 'kept-' || n, n FROM generate_series(0, 4) n;
