"""Between the messages of IEC 61968-9 and the values of the domain."""
