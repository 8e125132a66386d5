-- The controls that their devices have not answered; the ticket is that of the request. One that was given up stays,
-- since a late answer is an event.
CREATE TABLE control (
    ticket text  PRIMARY KEY,
    body   jsonb NOT NULL
);
