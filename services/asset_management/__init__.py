"""Asset management: what is owned, what it is like, and what is to be done about it."""
