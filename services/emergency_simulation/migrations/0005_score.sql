-- The score of each storm that has ended (ScenarioScore as JSON); the network may be another one afterwards.
CREATE TABLE score (
    scenario  text PRIMARY KEY,
    body      bytea NOT NULL
);
