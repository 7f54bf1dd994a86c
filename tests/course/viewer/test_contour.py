"""Contours and masks: closed forms, and what holds for any."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from ivdlib.course.viewer import contour
from ivdlib.evaluation import metrics

SHAPE, EDGES = (24, 30), (2.0, 1.25)
"""Rows and columns; mm."""


def rectangle(left, top, right, bottom) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


def square(left, top, side) -> np.ndarray:
    return contour.inside(rectangle(left, top, left + side, top + side), SHAPE, (1.0, 1.0))


@settings(deadline=None)
@given(st.integers(0, 24), st.integers(0, 12), st.integers(1, 12), st.integers(1, 12))
def test_a_rectangle_on_the_grid_is_its_voxels(left, top, across, down):
    corners = rectangle(left, top, left + across, top + down) * (EDGES[1], EDGES[0])
    wanted = np.zeros(SHAPE, bool)
    wanted[top : top + down, left : left + across] = True
    for drawn in (corners, corners[::-1], np.roll(corners, 1, axis=0)):
        assert np.array_equal(contour.inside(drawn, SHAPE, EDGES), wanted)


def test_a_square_moved_by_one_voxel_loses_a_column():
    still, moved = square(4, 4, 10), square(5, 4, 10)
    assert metrics.dice(still, moved) == pytest.approx(1 - 1 / 10)
    assert metrics.dice(still, square(4.4, 4.4, 10)) == 1  # less than half a voxel
    assert metrics.hd95_mm(still, moved, (1, 1)) == 1


@settings(deadline=None, max_examples=20)
@given(st.floats(3, 9), st.floats(3, 9), st.integers(12, 60))
def test_an_oval_has_the_area_of_one(across, down, points):
    drawn = contour.oval((12, 12), (across, down), points)
    polygon = points / 2 * np.sin(2 * np.pi / points) * across * down
    voxels = contour.inside(drawn, (120, 120), (0.2, 0.2)).sum() * 0.2**2
    assert voxels == pytest.approx(polygon, rel=0.03)


def test_what_is_enclosed_twice_is_outside():
    twice = rectangle(2, 2, 10, 10), rectangle(4, 4, 8, 8)
    drawn = np.concatenate([[*ring, ring[0]] for ring in twice])
    assert contour.inside(drawn, SHAPE, (1.0, 1.0)).sum() == 64 - 16


@st.composite
def blobs(draw) -> np.ndarray:
    """A random piece without holes, whose voxels share faces."""
    field = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).standard_normal(SHAPE)
    field = ndimage.gaussian_filter(field, draw(st.floats(0.7, 3)))
    pieces, count = ndimage.label(field > 0)
    largest = 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    return ndimage.binary_fill_holes(pieces == largest)


@settings(deadline=None, max_examples=40)
@given(blobs())
def test_mask_to_contour_to_mask_gives_the_mask_again(mask):
    assert np.array_equal(contour.inside(contour.edge_of(mask, EDGES), SHAPE, EDGES), mask)


def test_the_edge_is_that_of_the_largest_piece():
    mask = square(3, 3, 8)
    both = mask.copy()
    both[20:22, 20:22] = True
    assert np.array_equal(contour.edge_of(both, EDGES), contour.edge_of(mask, EDGES))


@settings(deadline=None)
@given(st.integers(8, 80), st.floats(4, 9))
def test_evenly_spaced_points_lie_on_the_contour(count, radius):
    fine = contour.oval((12, 12), (radius, radius), 720)
    points = contour.evenly_spaced(fine, count)
    assert points.shape == (count, 2) and np.allclose(points[0], fine[0])
    assert np.allclose(np.linalg.norm(points - 12, axis=1), radius, rtol=1e-4)
    steps = np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)
    assert np.allclose(steps, steps.mean(), rtol=1e-3)


def test_another_hand_errs_as_far_as_it_is_told():
    circle = contour.oval((100, 100), (60, 60), 400)
    errors = []
    for seed in range(20):
        again = contour.redrawn(circle, 0.55, np.random.default_rng(seed))
        errors.append(np.linalg.norm(again - 100, axis=1) - 60)
    assert np.std(errors) == pytest.approx(0.55, rel=0.1)
    assert abs(np.mean(errors)) < 0.06
    neighbours = np.corrcoef(errors[0], np.roll(errors[0], 1))[0, 1]
    assert neighbours > 0.9  # an error lasts some mm
    assert np.array_equal(contour.redrawn(circle, 0.0, np.random.default_rng(0)), circle)
