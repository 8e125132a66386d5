"""Currents and voltages of the network as it is switched, by power-grid-model; nothing here decides what is live."""
