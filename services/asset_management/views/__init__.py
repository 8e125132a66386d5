"""Between the values of the rules and the nouns of the standard."""
