"""The storm told: a picture of what is heard on the bus, on a terminal, in a summary and on a page."""
