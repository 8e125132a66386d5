"""Fault management: calls and meter events become outages, outages become work, and end when the meters say so."""
