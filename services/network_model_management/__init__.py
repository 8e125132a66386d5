"""NMM: what is built, as versions of one CIM model, and the topology of its feeders (61968-13, 61970-552)."""
