"""How models come and go: documents in RDF/XML or of pandapower, difference models, the object store."""
