-- Where something came late, what is judged beside it is to be judged again as well. Whether that is here already; it is
-- looked for once for all that came meanwhile.
ALTER TABLE to_judge ADD COLUMN is_spread boolean NOT NULL DEFAULT false;
