-- Which meters have taken which software, by the control that told them; each does so once.
CREATE TABLE software (
    usage_point text        NOT NULL,
    control     text        NOT NULL,
    taken_at    timestamptz NOT NULL,
    PRIMARY KEY (usage_point, control)
);
