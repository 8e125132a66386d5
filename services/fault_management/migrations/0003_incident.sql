-- Trouble that is no outage: hazards, and what else somebody should look after. "body" is the whole value of the domain.
CREATE TABLE incident (
    mrid        text    PRIMARY KEY,
    usage_point text    NOT NULL,
    over        boolean NOT NULL,
    work        text    NOT NULL,
    body        jsonb   NOT NULL
);

CREATE INDEX incident_open ON incident (usage_point) WHERE NOT over;
CREATE INDEX incident_work ON incident (work);

-- Who calls again soon is found by the place and the time of the report.
CREATE INDEX trouble_ticket_of_usage_point ON trouble_ticket (usage_point, reported_at);
