"""From pieces to a chain of discs: specks, halves, discs that touch, pieces astray."""

import numpy as np
import pytest
from spines import SHAPE, SPACING, ellipsoid, spine

from ivdlib.errors import DataError
from ivdlib.evaluation.disc_chain import find_chain


def same(chain, labels):
    """Whether each disc of the chain is that of the labels, in their order."""
    numbers = [n for n in np.unique(labels) if n]
    return len(chain.places) == len(numbers) and all(
        (chain.labels[labels == n] == k).mean() > 0.95 for k, n in enumerate(numbers, start=1)
    )


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_a_plain_spine_is_its_own_chain(count):
    labels = spine(count=count)
    chain = find_chain(labels > 0, SPACING)
    np.testing.assert_array_equal(chain.labels, labels)
    assert chain.decisions == ()


@pytest.mark.parametrize("spacing", [(2.0, 1.25, 1.25), (4.0, 1.8, 1.8), (4.4, 0.9, 0.9)])
def test_places_are_where_the_discs_are(spacing):
    shape = [round(n * a / b) for n, a, b in zip(SHAPE, SPACING, spacing, strict=True)]
    disc = ellipsoid(shape, spacing, (36, 70, 150), 25.0, (26, 18, 5))
    (place,) = find_chain(disc, spacing).places
    np.testing.assert_allclose(place.centre, (36, 70, 150), atol=0.5)
    assert place.tilt == pytest.approx(25, abs=1.5)
    assert place.volume == pytest.approx(4 / 3 * np.pi * 26 * 18 * 5 / 1000, rel=0.03)
    assert place.height == pytest.approx(9, abs=2)


def test_specks_and_pieces_astray_are_left_out_and_told():
    labels = spine()
    mask = labels > 0
    mask[0, 0, 0] = True
    mask |= ellipsoid(SHAPE, SPACING, (36, 125, 100), 0, (14, 8, 4))  # before the spine
    chain = find_chain(mask, SPACING)
    assert same(chain, labels)
    assert chain.decisions[0] == "left out: 1 speck, together 0.0 ml"
    assert "a piece of" in chain.decisions[1] and "lies off the chain" in chain.decisions[1]


def test_a_piece_before_the_sacrum_does_not_become_the_lowest_disc():
    """As bowel may look like one: it leans like a disc, but lies in front of the curve."""
    labels = spine(start=80.0)
    bowel = ellipsoid(SHAPE, SPACING, (36, 80, 40), 35.0, (14, 10, 5))
    chain = find_chain((labels > 0) | bowel, SPACING)
    assert same(chain, labels) and "lies off the chain" in chain.decisions[0]


def test_what_stands_upright_is_no_disc():
    upright = ellipsoid(SHAPE, SPACING, (36, 60, 150), 89.0, (26, 40, 6))
    chain = find_chain(upright, SPACING)
    assert chain.places == () and "stands upright, as no disc does" in chain.decisions[0]


def test_halves_of_a_disc_are_joined():
    labels = spine()
    mask = labels > 0
    mask[18] &= labels[18] != 3  # a slice without it, so that it falls apart
    chain = find_chain(mask, SPACING)
    assert len(chain.places) == 7
    assert (chain.labels[(labels == 3) & mask] == 3).all()
    assert any(text.startswith("joined: parts of") for text in chain.decisions)


@pytest.mark.parametrize("thick", [2, 4])
def test_discs_that_touch_are_parted(thick):
    labels = spine()
    mask = labels > 0
    low, high = (np.argwhere(labels == n).mean(axis=0).astype(int) for n in (3, 4))
    x, y = low[0], low[1] + 6
    mask[x - 2 : x + 2, y : y + thick, low[2] : high[2]] = True  # a bridge, as a bulge may make
    chain = find_chain(mask, SPACING)
    assert same(chain, labels)
    assert any(text.startswith("parted: 2 discs that touch") for text in chain.decisions)


def test_a_gap_keeps_the_chain_together():
    labels = spine(skip=(3,))
    assert len(find_chain(labels > 0, SPACING).places) == 6


def test_nothing_and_nonsense():
    empty = find_chain(np.zeros((4, 5, 6), bool), SPACING)
    assert empty.places == () and not empty.labels.any()
    with pytest.raises(DataError, match="a mask of 2 axes holds no discs"):
        find_chain(np.ones((4, 4), bool), (1, 1))
    with pytest.raises(DataError):
        find_chain(np.ones((4, 4, 4), bool), (1, 0, 1))
