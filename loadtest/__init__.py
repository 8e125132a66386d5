"""How much the system bears: scenarios, measurements and their report."""
