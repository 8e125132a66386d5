-- In which state an agreement is, as it was told last; empty where it was told before this was kept.
ALTER TABLE agreed ADD state text NOT NULL DEFAULT '';
