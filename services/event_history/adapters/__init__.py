"""From the bytes of a message to what is kept of it."""
