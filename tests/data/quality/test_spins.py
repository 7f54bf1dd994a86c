from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ivdlib.data.quality.spins import Bonds, settle


def energy(bonds, field, spins):
    pairs = zip(bonds.one, bonds.other, bonds.strength, strict=True)
    return -sum(w * spins[i] * spins[j] for i, j, w in pairs) - float(field @ spins)


def random_bonds(rng, count, extra, truth=None):
    """A tree that joins all nodes, and `extra` further bonds; in step with `truth` where given."""
    pairs = {(int(rng.integers(i)), i) for i in range(1, count)}
    pairs |= {tuple(sorted(rng.choice(count, 2, replace=False).tolist())) for _ in range(extra)}
    one, other = np.array(sorted(pairs)).T
    size = rng.uniform(0.1, 3, len(one))
    sign = rng.choice([-1, 1], len(one)) if truth is None else truth[one] * truth[other]
    return Bonds(one, other, size * sign)


@given(st.integers(0, 2**32), st.integers(2, 60), st.integers(0, 80))
@settings(max_examples=60, deadline=None)
def test_bonds_without_contradiction_are_all_fulfilled(seed, count, extra):
    rng = np.random.default_rng(seed)
    truth = rng.choice([-1.0, 1.0], count)
    bonds = random_bonds(rng, count, extra, truth)
    field = np.zeros(count)
    node = rng.integers(count)
    field[node] = 0.01 * truth[node]  # says which of the two solutions it is
    np.testing.assert_array_equal(settle(bonds, field), truth)


def test_equal_strengths_in_a_ring_are_no_contradiction():
    bonds = Bonds(np.array([0, 1, 2, 0]), np.array([1, 2, 3, 3]), np.array([-1.0, 1, -1, 1]))
    np.testing.assert_array_equal(settle(bonds, np.array([0.1, 0, 0, 0])), [1, -1, -1, 1])


def test_nodes_without_bonds_follow_their_field():
    none = np.zeros(0, int)
    bonds = Bonds(none, none, np.zeros(0))
    np.testing.assert_array_equal(settle(bonds, np.array([2.0, -0.1, 3])), [1, -1, 1])


def test_a_strong_field_turns_a_piece_against_its_bonds():
    """Two tight groups, weakly bound alike; the field of the second outweighs that bond."""
    bonds = Bonds(np.array([0, 1, 3, 2]), np.array([1, 2, 4, 3]), np.array([5.0, 5, 5, 1]))
    field = np.array([1.0, 1, 1, -2, -2])
    np.testing.assert_array_equal(settle(bonds, field), [1, 1, 1, -1, -1])


def test_contradictory_bonds_against_all_settings():
    """Tangled graphs, far from what a scan gives: mostly the best of all settings, else near it."""
    ratios = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        bonds, field = random_bonds(rng, 9, 12), rng.normal(0, 0.5, 9)
        best = min(energy(bonds, field, np.array(s)) for s in product((-1.0, 1.0), repeat=9))
        ratios.append(energy(bonds, field, settle(bonds, field)) / best)
    assert np.mean(np.array(ratios) > 1 - 1e-9) > 0.7
    assert np.mean(ratios) > 0.97


def test_no_single_turn_would_help():
    rng = np.random.default_rng(1)
    bonds, field = random_bonds(rng, 40, 60), rng.normal(0, 0.5, 40)
    spins = settle(bonds, field)
    for node in range(40):
        turned = spins.copy()
        turned[node] *= -1
        assert energy(bonds, field, turned) >= energy(bonds, field, spins)
