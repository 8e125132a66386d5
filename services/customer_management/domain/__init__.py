"""The rules of customer management: agreements, incidents, notices and requests."""
