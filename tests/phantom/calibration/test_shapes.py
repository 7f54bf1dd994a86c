"""Sizes and distances of boxes that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivdlib.errors import DataError
from ivdlib.evaluation import metrics
from ivdlib.phantom.calibration import shapes

SPACING = (2.0, 1.25, 1.5)


def boxes(*corners: tuple[slice, slice, slice]) -> np.ndarray:
    volume = np.zeros((12, 20, 40), bool)
    for corner in corners:
        volume[corner] = True
    return volume


LOW = (slice(2, 8), slice(5, 15), slice(4, 9))
HIGH = (slice(1, 9), slice(4, 14), slice(20, 24))


def test_sizes_of_boxes():
    mask = boxes(LOW, HIGH)
    discs = np.where(mask, 1, 0)
    discs[HIGH] = 2
    low, high = shapes.disc_sizes(mask, discs, ["A", "B"], SPACING)
    assert low["level"] == "A"
    assert low["volume_ml"] == pytest.approx(6 * 10 * 5 * np.prod(SPACING) / 1000)
    assert low["max_transverse_area_mm2"] == pytest.approx(60 * 2 * 1.25)
    assert low["z_extent_mm"] == pytest.approx(5 * 1.5)
    assert low["centre_spacing_z_mm"] == pytest.approx((21.5 - 6) * 1.5)
    assert high["max_transverse_area_mm2"] == pytest.approx(80 * 2 * 1.25)
    assert np.isnan(high["centre_spacing_z_mm"])


def test_the_largest_plane_is_taken_and_a_speck_belongs_to_the_nearest_disc():
    mask = boxes(LOW, HIGH)
    discs = np.where(mask, 1, 0)
    discs[HIGH] = 2
    mask[3, 6, 10] = mask[2:5, 6:8, 9] = True  # a step on the low box, and a speck above it
    low, high = shapes.disc_sizes(mask, discs, ["A", "B"], SPACING)
    assert low["volume_ml"] == pytest.approx((300 + 7) * np.prod(SPACING) / 1000)
    assert low["max_transverse_area_mm2"] == pytest.approx(60 * 2 * 1.25)
    assert low["z_extent_mm"] == pytest.approx(7 * 1.5)
    assert high["volume_ml"] == pytest.approx(320 * np.prod(SPACING) / 1000)


def test_an_empty_label_has_no_sizes():
    discs = np.where(boxes(LOW), 1, 0)
    assert shapes.disc_sizes(np.zeros_like(discs, bool), discs, ["A"], SPACING) == []


def test_extent_of_a_label_counts_planes_as_of_256():
    mask = boxes(LOW, HIGH)
    found = shapes.label_extent(mask)
    assert found == {
        "components": 2,
        "foreground_percent": pytest.approx(100 * (300 + 320) / mask.size),
        "slices": 8,
        "z_low": pytest.approx(4 * 6.4),
        "z_high": pytest.approx(23 * 6.4),
    }


def test_extent_of_an_empty_label():
    found = shapes.label_extent(np.zeros((3, 4, 5), bool))
    assert (found["components"], found["slices"]) == (0, 0)
    assert np.isnan(found["z_low"])


def test_levels_are_those_of_the_nearest_true_centre():
    affine = np.diag([2.0, 1.25, 1.5, 1]) + 0.0
    affine[:3, 3] = 5, -7, 11
    centres = {
        "high": affine[:3, :3] @ [4.5, 8.5, 21.5] + affine[:3, 3] + 1,
        "low": affine[:3, :3] @ [4.5, 9.5, 6] + affine[:3, 3] - 2,
        "beyond": np.array([0, 0, 500.0]),
    }
    discs, levels = shapes.name_discs(boxes(LOW, HIGH), affine, centres)
    assert levels == ["low", "high"]
    assert discs[3, 6, 5] == 1 and discs[3, 6, 21] == 2


def test_two_pieces_of_one_level_and_no_truth_are_refused():
    mask = boxes(LOW, HIGH)
    with pytest.raises(DataError, match="2 pieces for 1 levels"):
        shapes.name_discs(mask, np.eye(4), {"A": np.zeros(3)})
    with pytest.raises(DataError, match="names no disc"):
        shapes.name_discs(mask, np.eye(4), {})


def test_a_slab_that_is_moved_by_a_voxel_lies_a_voxel_apart():
    slab = np.zeros((6, 7, 30), bool)
    slab[..., 10:18] = True
    mean, square = shapes.jitter_mm(slab, np.roll(slab, 1, axis=2), SPACING)
    assert mean == pytest.approx(1.5) and square == pytest.approx(1.5)


def test_a_slab_moved_on_half_of_its_area():
    slab = np.zeros((6, 8, 30), bool)
    slab[..., 10:18] = True
    other = slab.copy()
    other[:, 4:, 18] = True  # the upper surface rises by one voxel at the front
    mean, square = shapes.jitter_mm(slab, other, SPACING)
    # 48 + 48 voxels a label; 24 of each upper surface lie off, next to the step only by 1.25 mm;
    # the step's own voxel below the rim is no surface, having a neighbour on each face.
    apart = np.r_[np.zeros(72), np.full(18, 1.5), np.full(6, 1.25)]
    both = np.r_[apart, np.zeros(72), np.full(24, 1.5)]
    assert mean == pytest.approx(both.mean())
    assert square == pytest.approx(np.sqrt(np.mean(both**2)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_jitter_is_the_surface_distance_of_the_scores(seed):
    rng = np.random.default_rng(seed)
    a, b = np.zeros((2, 10, 12, 14), bool)
    a[2:8, 3:9, 4:10] = rng.random((6, 6, 6)) < 0.6
    b[2:8, 3:9, 4:10] = rng.random((6, 6, 6)) < 0.6
    a[5, 5, 5] = b[5, 5, 5] = True
    mean, square = shapes.jitter_mm(a, b, SPACING)
    assert mean == pytest.approx(metrics.asd_mm(a, b, SPACING))
    assert square >= mean
    assert shapes.jitter_mm(b, a, SPACING) == pytest.approx((mean, square))
    assert shapes.jitter_mm(a, a, SPACING) == (0, 0)


def test_jitter_of_an_empty_label_is_unknown():
    assert np.isnan(shapes.jitter_mm(boxes(), boxes(LOW), SPACING)).all()
