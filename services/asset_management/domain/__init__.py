"""The rules of asset management, as functions of values."""
