"""CM: customers, what they agreed on, what they ask for and what they are told (61968-8)."""
