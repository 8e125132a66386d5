-- A meter that has taken software may not say any more which one it is.
ALTER TABLE software ADD is_nameless boolean NOT NULL DEFAULT false;
