"""A fleet of up to a million meters whose every value is a function of seed, meter and time.

Nothing is kept and nothing is random: :class:`~shared.fleet.metering.Fleet` makes the intervals and registers of any
meter on any day alone, in any order and in any process, and what it makes again is the truth to which stored values
are compared. :mod:`~shared.fleet.delivery` says when and how they reach a head-end.

Who plays the field and who measures both need it, and neither may import the other; so it stands here, and is held to
the rules of a domain: no clock, no chance, nothing read or written.
"""
