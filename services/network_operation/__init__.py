"""NO: what is open and what is live, and the switching that changes it (61968-3)."""
