"""The numeric codes of IEC 61968-9: read and built as values, with names where names are known."""
