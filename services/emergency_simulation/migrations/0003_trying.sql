-- The devices that opened for a fault and will close again; the protection has done with it when there are none.
ALTER TABLE fault ADD COLUMN trying text[] NOT NULL DEFAULT '{}';
UPDATE fault SET final = true WHERE repaired;
DROP INDEX fault_active;
CREATE INDEX fault_active ON fault (mrid) WHERE struck AND NOT (repaired AND final);
