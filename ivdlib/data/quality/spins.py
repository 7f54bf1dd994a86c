"""Settle signs on a graph: which of two states each node has, from what neighbours say.

Nodes carry a spin of +1 or -1. A positive bond wants its two nodes alike, a negative one wants them
to differ; a field pulls a node towards +1 (positive) or -1. Few contradictions are expected, so the
strongest bonds are followed first, and what they joined is corrected as one piece afterwards.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SWEEPS = 20
"""Rounds of corrections at each level; where two neighbours want to turn, few rounds are needed."""


class Bonds(NamedTuple):
    """Bonds between nodes: the two ends (int arrays) and the strength (float array)."""

    one: np.ndarray
    other: np.ndarray
    strength: np.ndarray


def settle(bonds: Bonds, field: np.ndarray) -> np.ndarray:
    """Find spins of low energy ``-sum(strength * s_one * s_other) - sum(field * s)``.

    Parameters
    ----------
    bonds : Bonds
        Each pair of nodes at most once.
    field : ndarray, (nodes,)

    Returns
    -------
    ndarray of +1.0 and -1.0, (nodes,)
        If the bonds do not contradict each other and no field acts, an exact solution.
    """
    count = len(field)
    cluster, sense = np.arange(count), np.ones(count)
    levels = [(cluster, sense)]
    rest = bonds
    while len(rest.one):
        name, turned = _join_strongest(rest, int(cluster.max()) + 1)
        rest = _between(rest, name, turned)
        sense = sense * turned[cluster]
        cluster = name[cluster]
        levels.append((cluster, sense))
    spins = sense
    for cluster, sense in reversed(levels):
        spins = _turn(bonds, field, spins, cluster, sense)
    return spins


def linked(one: np.ndarray, other: np.ndarray, count: int) -> np.ndarray:
    """Number the connected pieces of a graph: links between two nodes → piece of each node."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(one), bool), (one, other)), shape=(count, count))
    return connected_components(links, directed=False)[1]


def _join_strongest(bonds: Bonds, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Join each node to the neighbour it is bound to most: new names, and who is turned round.

    Every node is doubled, as it is and turned round; a bond links equal or opposite copies. The
    two copies of a connected piece then are its two possible settings.
    """
    ends = np.concatenate([bonds.one, bonds.other])
    partners = np.concatenate([bonds.other, bonds.one])
    number = np.tile(np.arange(len(bonds.one)), 2)
    # Equal strengths are told apart by the bond's number: no ring of joins can arise.
    order = np.lexsort((number, np.abs(bonds.strength)[number], ends))
    last = order[np.diff(ends[order], append=-1) != 0]
    node, partner = ends[last], partners[last]
    turn = np.where(bonds.strength[number[last]] > 0, 0, count)
    rows = np.concatenate([node, node + count])
    columns = np.concatenate([partner + turn, partner + count - turn])
    copies = linked(rows, columns, 2 * count).reshape(2, count)
    name = np.unique(copies.min(axis=0), return_inverse=True)[1]
    return name, np.where(copies[0] <= copies[1], 1.0, -1.0)


def _between(bonds: Bonds, name: np.ndarray, sense: np.ndarray) -> Bonds:
    """Add up the bonds between pieces, seen from the pieces."""
    from scipy.sparse import coo_array

    count = int(name.max()) + 1
    strength = bonds.strength * sense[bonds.one] * sense[bonds.other]
    one, other = name[bonds.one], name[bonds.other]
    apart = one != other
    ends = np.minimum(one, other)[apart], np.maximum(one, other)[apart]
    total = coo_array((strength[apart], ends), shape=(count, count)).tocsr().tocoo()
    found = total.data != 0
    return Bonds(total.row[found], total.col[found], total.data[found])


def _turn(
    bonds: Bonds, field: np.ndarray, spins: np.ndarray, cluster: np.ndarray, sense: np.ndarray
) -> np.ndarray:
    """Turn whole pieces as long as that lowers the energy."""
    from scipy.sparse import coo_array

    seen = _between(bonds, cluster, sense)
    count = int(cluster.max()) + 1
    half = coo_array((seen.strength, (seen.one, seen.other)), shape=(count, count)).tocsr()
    matrix = half + half.T
    pull = np.bincount(cluster, field * sense, minlength=count)
    state = np.empty(count)
    state[cluster] = spins * sense
    rng = np.random.default_rng(0)
    for _ in range(SWEEPS):
        unhappy = np.flatnonzero(state * (matrix @ state + pull) < 0)
        if not len(unhappy):
            break
        # Neighbours that turn at once can make it worse: half of them, by lot.
        chosen = rng.random(len(unhappy)) < 0.5 if len(unhappy) > 1 else [True]
        state[unhappy[chosen]] *= -1
    return state[cluster] * sense
