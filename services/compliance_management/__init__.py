"""Compliance management: counts interruptions and reports how reliable the supply is."""
