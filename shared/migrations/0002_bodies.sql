-- Bodies are not compressed by the pglz of PostgreSQL, which takes 25 ms for a megabyte of numbers and leaves it as it
-- was. LZ4 passes over what cannot be compressed; a server that was built without it keeps bodies as they are.
DO $$
BEGIN
    ALTER TABLE outbox ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    ALTER TABLE outbox ALTER COLUMN body SET STORAGE EXTERNAL;
END
$$;
