"""Emergency simulation: the field that is played, what is really true in it, and how the system does."""
