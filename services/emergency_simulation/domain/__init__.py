"""The truth of the played field, as values: nothing here knows what the system believes."""
