"""The acceptance scenarios of the domain guides: each test reads as its sentence and names its number."""
