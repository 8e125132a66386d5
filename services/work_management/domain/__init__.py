"""The rules of work: what may happen to an order, who may be sent, in which order, and with what."""
