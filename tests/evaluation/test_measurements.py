"""Measures of discs, on boxes and cylinders whose size is known."""

import numpy as np
import pytest

from ivdlib.data.discs import LEVELS
from ivdlib.errors import DataError
from ivdlib.evaluation.measurements import measure

SPACING = (2.0, 1.25, 1.25)


def spine(count, shape=(20, 60, 200), thick=6):
    mask = np.zeros(shape, bool)
    for k in range(count):
        mask[4:16, 20:44, 8 + 26 * k : 8 + 26 * k + thick] = True
    return mask


def test_a_box_has_the_size_it_was_given():
    (row,) = measure(spine(1), SPACING)
    assert row["volume_ml"] == pytest.approx(12 * 2 * 24 * 1.25 * 6 * 1.25 / 1000)
    assert row["height_mm"] == pytest.approx(7.5)
    assert row["depth_mm"] == 30 and row["width_mm"] == 24
    assert row["disc"] == 1 and row["level"] == "" and not row["touches_border"]


def test_height_is_the_mean_over_the_footprint():
    mask = np.zeros((20, 60, 60), bool)
    mask[5:15, 20:40, 20:24] = True
    mask[5:15, 20:30, 24:28] = True  # half of the footprint is twice as high
    (row,) = measure(mask, SPACING)
    assert row["height_mm"] == pytest.approx(1.25 * (8 + 4) / 2)


def test_seven_discs_have_names_from_below():
    rows = measure(spine(7), SPACING)
    assert [row["level"] for row in rows] == list(LEVELS)
    assert [row["disc"] for row in rows] == list(range(1, 8))
    assert all(row["level"] == "" for row in measure(spine(6), SPACING))


def test_specks_are_left_out_and_the_border_is_told():
    mask = spine(2)
    mask[0, 0, 0] = True  # a voxel somewhere
    assert len(measure(mask, SPACING)) == 2
    cut = spine(1)
    cut[4:16, 20:44, 0:8] = True
    assert measure(cut, SPACING)[0]["touches_border"]


def test_nothing_and_nonsense():
    assert measure(np.zeros((3, 4, 5), bool), SPACING) == []
    with pytest.raises(DataError):
        measure(np.full((3, 4, 5), 0.5), SPACING)
    with pytest.raises(DataError):
        measure(np.zeros((3, 4, 5), bool), (1.0, 0.0, 1.0))


def test_a_slice_is_refused():
    with pytest.raises(DataError, match="a mask of 2 axes cannot be measured"):
        measure(np.ones((4, 4), bool), (1, 1))
