"""The rules of meter reading and control, as functions of values."""
