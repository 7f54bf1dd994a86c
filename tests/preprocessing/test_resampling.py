"""Slices on the pixels that a network knows, and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.affines import apply_affine

from ivdlib.data.case import Case
from ivdlib.preprocessing.resampling import interpolation, on_plane, plane_for, resample

SIDES = st.integers(1, 40)


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES)
def test_rows_are_means_of_what_is_near(size, wanted):
    matrix = interpolation(size, wanted)
    assert matrix.shape == (wanted, size) and (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-5)
    centres = (np.arange(wanted) + 0.5) * size / wanted - 0.5
    reach = max(size / wanted, 1)
    away = np.abs(np.arange(size) - np.clip(centres, 0, size - 1)[:, None])
    assert (away[matrix > 0] < reach + 1e-6).all()


@settings(max_examples=30, deadline=None)
@given(SIDES, SIDES)
def test_the_same_pixels_change_nothing(height, width):
    volume = np.random.default_rng(0).random((2, height, width), dtype=np.float32)
    np.testing.assert_allclose(resample(volume, (height, width)), volume, rtol=1e-6)


def test_a_straight_slope_stays_where_it_lies():
    """Values are those of the places in mm, whatever the pixels."""
    coarse = ((np.arange(12) + 0.5) * 2.0)[None, :, None].repeat(5, axis=2)
    fine = resample(coarse, (24, 5))[0, :, 0]
    np.testing.assert_allclose(fine[1:-1], ((np.arange(24) + 0.5) * 1.0)[1:-1], rtol=1e-5)
    np.testing.assert_allclose(resample(fine[None, :, None], (12, 1))[0, 1:-1, 0],
                               coarse[0, 1:-1, 0], rtol=1e-2)  # fmt: skip


def test_what_is_finer_than_the_new_pixels_is_averaged():
    stripes = np.tile(np.float32([0, 1]), 32)[None, None].repeat(4, axis=1)
    found = resample(stripes, (4, 16))
    assert np.abs(found[:, :, 1:-1] - 0.5).max() < 0.01


@pytest.mark.parametrize(
    ("spacing", "plane"),
    [((4, 1.25, 1.25), (100, 80)), ((1, 1.24, 1.27), (100, 80)), ((2, 2.5, 1.25), (200, 80)),
     ((2, 0.625, 5.0), (50, 320))],
)  # fmt: skip
def test_which_pixels(spacing, plane):
    assert plane_for((9, 100, 80), spacing, [(2, 2), (1.25, 1.25), (1.25, 1.25)]) == plane


def test_pixels_between_two_that_are_known():
    known = [(2, 2), (1.0, 2.0), (1.0, 2.0)]
    assert plane_for((9, 100, 80), (2, 1.5, 4.0), known) == (100, 160)


def test_the_field_of_view_stays_in_the_world():
    """An oblique scan whose corners lie where they lay."""
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * (4, 1.8, 1.8), (10, -20, 30)
    image = np.random.default_rng(0).random((3, 50, 40), dtype=np.float32)
    case = Case("a", "a", {"wat": image}, affine, labels=np.zeros(image.shape, np.uint8))
    found = on_plane(
        case, plane_for(case.shape, case.spacing, [(2, 2), (1.25, 1.25), (1.25, 1.25)])
    )
    assert found.shape == (3, 72, 58) and found.labels is None
    np.testing.assert_allclose(found.spacing, (4, 1.25, 1.8 * 40 / 58), rtol=1e-6)
    for low, high in ((-0.5, "most"), (-0.5, "least")):
        ends = [
            np.array(c.shape) - 0.5 if high == "most" else np.full(3, low) for c in (case, found)
        ]
        corners = [apply_affine(c.affine, end) for c, end in zip((case, found), ends, strict=True)]
        np.testing.assert_allclose(*corners, atol=1e-6)
