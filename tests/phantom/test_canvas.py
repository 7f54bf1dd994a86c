"""Cells and voxels of a slice."""

import numpy as np
import pytest

from ivdlib.phantom.canvas import SUB, Canvas, per_voxel, voxel_mean


def test_a_voxel_has_the_mean_of_its_cells():
    cells = np.random.default_rng(0).random((4, SUB, 3 * SUB, 5 * SUB))
    found = voxel_mean(cells)
    assert found.shape == (4, 3, 5)
    assert found[2, 1, 4] == pytest.approx(cells[2, :, SUB : 2 * SUB, 4 * SUB :].mean())


def test_a_field_by_voxel_has_one_value_a_voxel():
    x, y, z = np.random.default_rng(0).random((3, SUB, 3 * SUB, 5 * SUB))
    found = per_voxel(lambda x, y, z: x + 2 * y - z, x, y, z)
    assert found.shape[1:] == (3 * SUB, 5 * SUB)
    assert np.ptp(found[0, SUB : 2 * SUB, :SUB]) == 0
    assert found[0, SUB, SUB] == pytest.approx((x + 2 * y - z)[0, SUB, SUB])


def test_cells_lie_around_their_voxels_and_linear_shifts_are_exact():
    canvas = Canvas(2, 16, np.diag([4.0, 1.0, 1.0, 1.0]), lambda x, y, z: (0 * x, y, 2 * z), {})
    plain = Canvas(
        2, 16, np.diag([4.0, 1.0, 1.0, 1.0]), lambda *xyz: np.zeros((3, *xyz[0].shape)), {}
    )
    centres = voxel_mean(np.broadcast_to(plain.points, (3, SUB, 16 * SUB, 16 * SUB)))
    assert centres[1][:, 0] == pytest.approx(np.arange(16), abs=1e-5)
    assert centres[0] == pytest.approx(np.full((16, 16), 8.0))
    assert canvas.points[1] == pytest.approx(2 * plain.points[1], abs=1e-4)
    assert canvas.points[2] == pytest.approx(3 * plain.points[2], abs=1e-4)
