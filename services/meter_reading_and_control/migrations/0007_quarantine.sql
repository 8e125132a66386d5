-- Sources that mean another device by an mRID than the one that is known; what they tell of it is refused with 2.14.
CREATE TABLE collision (
    meter    text        NOT NULL,
    source   text        NOT NULL,
    there    text        NOT NULL,
    told     text        NOT NULL,
    found_at timestamptz NOT NULL,
    PRIMARY KEY (meter, source)
);

CREATE INDEX refused_reading_in_time ON refused_reading (refused_at, digest);
