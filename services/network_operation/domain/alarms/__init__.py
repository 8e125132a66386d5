"""Alarms: which conditions hold, the states that an alarm goes through, and what is not worth an operator's attention.

What holds follows from the present state alone (:mod:`conditions`), so it does not matter in which order it was heard.
:mod:`desk` compares it with the alarms that are known; :mod:`machine` has the states, :mod:`suppression` says which
alarms another one explains, :mod:`flood` when there are too many.
"""
