-- What a switch did, or whether power was lost, is asked of a place by its codes: what else was told there is passed by.
DROP INDEX event_of_usage_point;
CREATE INDEX event_of_usage_point ON event (usage_point, code, happened_at);

-- In a storm all happens at one time, of which statistics that are older say that nothing did, so an index of times
-- looks like the best way to the events of some meters and is the worst. It is for those who ask for the events of all
-- and say its condition, which is true of every event and follows from no other.
DROP INDEX event_in_time;
CREATE INDEX event_in_time ON event (happened_at) WHERE octet_length(meter) >= 0;
