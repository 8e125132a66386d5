-- Crews as they are told, with their shifts and places; what they may do stands in there.
ALTER TABLE crew ADD COLUMN body jsonb;
UPDATE crew SET body = jsonb_build_object(
    'told', jsonb_build_object(
        'mRID', mrid,
        'Capabilities', (SELECT coalesce(jsonb_agg(jsonb_build_object('type', skill)), '[]') FROM unnest(skills) AS skill),
        'Names', jsonb_build_array(jsonb_build_object('name', name)),
        'status', jsonb_build_object('value', CASE WHEN available THEN 'AVAILABLE' ELSE 'OUT_OF_SERVICE' END)));
ALTER TABLE crew ALTER COLUMN body SET NOT NULL;
ALTER TABLE crew DROP COLUMN name, DROP COLUMN skills, DROP COLUMN available, DROP COLUMN capacity;

-- The one row that is locked by whoever changes an order or gives one out.
CREATE TABLE desk (one boolean PRIMARY KEY DEFAULT true CHECK (one));
INSERT INTO desk DEFAULT VALUES;

-- An order follows from facts. What was under way before is told by those that lead to where it was.
UPDATE work_order SET
    status = CASE status
        WHEN 'waitingToBeScheduled' THEN 'planned' WHEN 'scheduled' THEN 'dispatched' WHEN 'dispatched' THEN 'accepted'
        WHEN 'completed' THEN 'fieldComplete' ELSE status END;
UPDATE work_order SET body = (body - 'refused') || jsonb_build_object(
    'planned', body->'noun',
    'state', status,
    'facts', CASE
        WHEN status = 'planned' THEN '[]'::jsonb
        WHEN status = 'cancelled' THEN jsonb_build_array(jsonb_build_object(
            'event', 'cancel', 'at', body#>>'{noun,Work,0,lastModifiedDateTime}', 'number', 1))
        ELSE jsonb_build_array(jsonb_build_object(
                'event', 'dispatch', 'at', body->>'requested_at', 'number', 1, 'crew', crew))
            || CASE status
                WHEN 'dispatched' THEN '[]'::jsonb
                ELSE jsonb_build_array(jsonb_build_object(
                    'event', CASE status WHEN 'accepted' THEN 'accept' WHEN 'enroute' THEN 'depart'
                        WHEN 'onSite' THEN 'arrive' WHEN 'inProgress' THEN 'start' ELSE 'complete' END,
                    'at', body#>>'{noun,Work,0,lastModifiedDateTime}', 'crew', crew)) END
            || CASE WHEN status = 'closed' THEN jsonb_build_array(jsonb_build_object(
                'event', 'close', 'at', body#>>'{noun,Work,0,lastModifiedDateTime}', 'number', 2)) ELSE '[]'::jsonb END
        END);

-- Why what waits is not given out, in words; it changes with each look and is no event.
ALTER TABLE work_order ADD COLUMN reasons text[] NOT NULL DEFAULT '{}';
DROP INDEX work_order_open;
CREATE INDEX work_order_open ON work_order (status) WHERE status NOT IN ('closed', 'cancelled', 'rejected');

-- The network as built: what is next on the way to the source, where it is, how many customers hang there.
CREATE TABLE spot (
    mrid      text PRIMARY KEY,
    above     text,
    longitude double precision,
    latitude  double precision,
    weight    double precision NOT NULL
);

-- Who is without power by which outage.
CREATE TABLE outage (
    mrid     text    PRIMARY KEY,
    revision integer NOT NULL,
    points   text[]  NOT NULL
);
