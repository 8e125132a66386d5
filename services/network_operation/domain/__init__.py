"""The rules of network operation: energisation, positions of switches, switching plans."""
