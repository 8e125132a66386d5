"""The rules of network model management: a CIM model as values, what is wrong with it, and its feeders."""
