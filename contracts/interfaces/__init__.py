"""One interface for each role: what it serves, asks, tells and hears."""
