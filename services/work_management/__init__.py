"""Work management: requests become orders, orders go to crews, and what the crews report goes to whoever hears it."""
