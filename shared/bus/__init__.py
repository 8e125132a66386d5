"""The bus: one connection to NATS, the grammar of its subjects, and what is derived from the interfaces."""
