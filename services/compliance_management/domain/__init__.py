"""The rules of compliance management: what an interruption is, and what follows from all of them."""
