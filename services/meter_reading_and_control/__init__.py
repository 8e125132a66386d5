"""Meter reading and control: takes what the head-end tells, keeps it and passes it on."""
