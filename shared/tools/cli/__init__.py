"""The `busbar` command: what people run around the services."""
