"""Event history: every message kept as it was, found again, and proved (61968-1 clause 7)."""
