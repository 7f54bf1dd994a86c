"""Masks of any number type, and the nearest of their voxels."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import SPACING, cube

from ivdlib.data import masks
from ivdlib.evaluation import metrics


@pytest.mark.parametrize("points", [0, 200_000])
def test_nearest_voxel_far_from_the_origin(monkeypatch, points):
    monkeypatch.setattr(masks, "_TREE_POINTS", points)
    of, to = np.zeros((2, 20, 20, 20), bool)
    of[12, 13, 14] = to[15, 13, 14] = to[12, 17, 14] = True
    distance, where = masks.nearest(of, to, SPACING)
    assert distance == pytest.approx([5.0])
    assert [int(w[0]) for w in where] == [12, 17, 14]


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32, np.float64])
def test_any_number_type_may_hold_a_mask(kind):
    truth = cube((6, 7, 8), (1, 2, 3), (3, 4, 2))
    assert metrics.score_volume(truth.astype(kind), truth, SPACING)["dice"] == 1.0
