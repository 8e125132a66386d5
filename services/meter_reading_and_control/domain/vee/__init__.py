"""Validation, estimation and editing of a market day of many meters at once (metering guide 4 and 5)."""
