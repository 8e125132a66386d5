-- What is to be done again and again. Plans of one site are called together; "call" is the work of a plan that was.
CREATE TABLE plan (
    mrid     text    PRIMARY KEY,
    asset    text    NOT NULL,
    site     text    NOT NULL,
    state    text    NOT NULL,
    call     text,
    revision integer NOT NULL,
    digest   text    NOT NULL,
    body     jsonb   NOT NULL,
    noun     jsonb   NOT NULL
);

CREATE INDEX plan_of_asset ON plan (asset);
CREATE INDEX plan_of_site ON plan (site) WHERE state IN ('ACTIVE', 'DUE');
CREATE INDEX plan_of_call ON plan (call) WHERE call IS NOT NULL;
