"""What a model of the network lacks for operation, as a difference model that adds it.

Many models are made for power flow: they have lines, loads and sources, and no fuse, no recloser, no customer, no
place. The parts here, each of which follows from the model alone, so that the same model gets the same objects again:

* ``document``: the objects of a CIM100 document, as far as something is hung on them.
* ``tree``: the way from the sources over what is normally closed.
* ``rules``: what is lacking, and where it belongs.
* ``writing``: all that as statements of IEC 61970-552, forward and reverse.
"""
