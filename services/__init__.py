"""The business: one package for each function of the Interface Reference Model, none of which imports another."""
