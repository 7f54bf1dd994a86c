"""Centres, spreads and axes of boxes that lie as discs do."""

import numpy as np
import pytest

from ivdlib.data.disc_stack import Pieces, measure_stack

SPACING = (2.0, 1.0, 1.0)


def stack(number=3, step=30):
    discs = np.zeros((10, 40, 120), bool)
    for k in range(number):
        discs[3:7, 10:30, 10 + k * step : 16 + k * step] = True
    return measure_stack(discs, SPACING)


def test_boxes_lie_30_mm_apart_and_have_the_spread_of_their_edges():
    found = stack()
    assert np.diff(found.centres, axis=0) == pytest.approx(np.array([[0, 0, 30.0]] * 2))
    edges = np.array([8.0, 20.0, 6.0])  # mm
    assert found.spreads == pytest.approx(np.stack([np.diag(edges**2 / 12)] * 3))


def test_three_are_stacked_where_they_lie_far_apart():
    assert stack().stack() == 2 and stack().narrow(2) in (0, 1)
    assert stack(number=2).stack() is None
    assert stack(step=10).stack() is None  # 20 mm from the first to the last


def test_boxes_are_flat_where_they_are_thin_in_the_plane():
    assert stack().flat(across=0) == 2
    assert Pieces(np.zeros((1, 3)), np.eye(3)[None]).flat(across=0) is None


def test_a_speck_is_no_piece_and_three_discs_have_no_curve():
    discs = np.zeros((10, 40, 120), bool)
    discs[3:7, 10:30, 10:16] = discs[3, 10, 100] = True
    assert len(measure_stack(discs, SPACING).centres) == 1
    assert stack().bend((0, 1, 2), SPACING) == (0, 0)
