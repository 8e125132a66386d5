"""Currents through closed switches, which have no impedance: what flows on from the leaves of each merged node."""

import numpy as np

from services.network_operation.domain.power_flow.rows import Complex, Whole


def switch_currents(node1: Whole, node2: Whole, leaving: Complex) -> Complex:
    """The currents from ``node1`` to ``node2`` through each switch by phase.

    Args:
        node1: the nodes at the first contacts.
        node2: those at the second.
        leaving: what leaves each node through all but these switches; over the nodes that they join it sums to zero.

    Returns:
        The currents by row; NaN in a ring of switches, where nothing but their contacts decides.
    """
    leaving = leaving.copy()
    found = np.full((len(node1), leaving.shape[1]), np.nan, dtype=complex)
    open_rows = np.arange(len(node1))
    while len(open_rows):
        degree = np.bincount(np.concatenate((node1[open_rows], node2[open_rows])), minlength=len(leaving))
        is_leaf1, is_leaf2 = degree[node1[open_rows]] == 1, degree[node2[open_rows]] == 1
        # of two leaves that meet in one switch only one is taken off
        is_leaf2 &= ~is_leaf1
        rows1, rows2 = open_rows[is_leaf1], open_rows[is_leaf2]
        if not len(rows1) and not len(rows2):
            return found
        found[rows1], found[rows2] = -leaving[node1[rows1]], leaving[node2[rows2]]
        np.add.at(leaving, node2[rows1], leaving[node1[rows1]])
        np.add.at(leaving, node1[rows2], leaving[node2[rows2]])
        open_rows = open_rows[~(is_leaf1 | is_leaf2)]
    return found
