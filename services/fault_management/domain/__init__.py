"""The rules of fault management: what hangs on what, what the evidence says, and how an outage lives."""
