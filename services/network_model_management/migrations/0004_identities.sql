-- The mRID by which an object is known, where the documents give it another one.
CREATE TABLE identity (
    document_mrid text PRIMARY KEY,
    mrid          text NOT NULL UNIQUE
);
