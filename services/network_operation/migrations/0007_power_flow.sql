-- The electrical data of the model in use, as the power flow takes them.
CREATE TABLE electrical (
    model_revision integer PRIMARY KEY,
    data           bytea   NOT NULL
);

-- Who is dark since when, and who was until a moment ago, as long as their loads feel it.
CREATE TABLE interruption (
    number bigint GENERATED ALWAYS AS IDENTITY,
    value  jsonb  NOT NULL
);

-- The last good power flow of each feeder, and why a newer one failed, if it did.
CREATE TABLE feeder_flow (
    feeder text  PRIMARY KEY,
    value  jsonb NOT NULL
);
