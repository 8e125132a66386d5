"""What crosses a boundary: messages, nouns, codes and interfaces, as data."""
