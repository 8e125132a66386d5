"""The nouns: one module for each payload profile, with its namespace and its structs in wire order."""
