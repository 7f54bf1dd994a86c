"""Scores against closed forms, and the rules for what is empty, missed or broken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scripts import installed
from shapes import SPACING, ball, cube

from ivdlib.errors import DataError
from ivdlib.evaluation import challenge, metrics

DISTANCES = (metrics.asd_mm, metrics.hd95_mm, metrics.centre_distance_mm)
masks = arrays(bool, (4, 5, 6))
lengths = st.tuples(*[st.floats(0.3, 4.0)] * 3)


def test_dice_of_shifted_cubes():
    truth = cube((20, 20, 20), (5, 5, 5), (10, 10, 10))
    for shift in range(6):
        pred = cube((20, 20, 20), (5, 5, 5 - shift), (10, 10, 10))
        assert metrics.dice(pred, truth) == pytest.approx(1 - shift / 10)
    small = cube((20, 20, 20), (5, 5, 5), (5, 10, 10))
    assert metrics.dice(small, truth) == pytest.approx(2 * 500 / 1500)


def test_empty_masks_follow_the_stated_rule():
    empty, full = np.zeros((3, 4, 5), bool), np.ones((3, 4, 5), bool)
    diagonal = np.sqrt(6.0**2 + 5.0**2 + 6.25**2)
    assert metrics.dice(empty, empty) == 1.0
    assert all(distance(empty, empty, SPACING) == 0.0 for distance in DISTANCES)
    for pred, truth in ((empty, full), (full, empty)):
        assert metrics.dice(pred, truth) == 0.0
        for distance in DISTANCES:
            assert distance(pred, truth, SPACING) == pytest.approx(diagonal)


def test_a_missed_disc_gets_the_diagonal_of_the_challenge():
    assert metrics.diagonal_mm((36, 256, 256), SPACING) == pytest.approx(458.2, abs=0.05)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_surface_distance_of_shifted_plates(axis):
    """Two plates of one voxel, as wide as the volume, 3 voxels apart: every distance is the gap."""
    a, b = np.zeros((7, 8, 9), bool), np.zeros((7, 8, 9), bool)
    a[(slice(None),) * axis + (1,)] = True
    b[(slice(None),) * axis + (4,)] = True
    gap = 3 * SPACING[axis]
    for distance in DISTANCES:
        assert distance(a, b, SPACING) == pytest.approx(gap)


def test_surface_distance_counts_each_surface_voxel_once():
    """One voxel against a row of three: 0 from the one; 1, 0 and 1 mm from the three."""
    one, three = cube((1, 1, 5), (0, 0, 2), (1, 1, 1)), cube((1, 1, 5), (0, 0, 1), (1, 1, 3))
    assert metrics.asd_mm(one, three, (1, 1, 1)) == pytest.approx((0 + 1 + 0 + 1) / 4)


def test_the_hausdorff_distance_leaves_out_five_in_a_hundred():
    """A row against itself and voxels ever farther to one side: the tail counts from 5 % on."""
    row = cube((1, 1, 140), (0, 0, 0), (1, 1, 100))
    for more in (2, 8, 40):
        longer = cube((1, 1, 140), (0, 0, 0), (1, 1, 100 + more))
        distances = [0] * 200 + list(range(1, more + 1))
        expected = sorted(distances)[int(0.95 * (len(distances) - 1))]
        assert metrics.hd95_mm(longer, row, (1, 1, 1)) == pytest.approx(expected, abs=1)
    assert expected > 20


def test_dice_of_slices_skips_those_without_discs():
    truth, pred = cube((6, 4, 4), (1, 0, 0), (3, 2, 2)), cube((6, 4, 4), (2, 0, 0), (3, 2, 2))
    assert metrics.slice_dice(pred, truth) == pytest.approx((0 + 1 + 1 + 0) / 4)
    assert metrics.slice_dice(pred, truth, axis=1) == metrics.dice(pred, truth)
    assert metrics.slice_dice(truth & False, truth & False) == 1.0
    assert metrics.slice_dice(truth & False, truth) == 0.0


def test_volumes():
    truth, pred = cube((6, 4, 4), (1, 0, 0), (3, 2, 2)), cube((6, 4, 4), (2, 0, 0), (4, 2, 2))
    found, ml = metrics.score_volume(pred, truth, SPACING), 3.125e-3
    assert found["truth_ml"] == pytest.approx(12 * ml)
    assert found["pred_ml"] == pytest.approx(16 * ml)
    assert found["overlap_ml"] == pytest.approx(8 * ml)
    assert found["volume_difference_ml"] == pytest.approx(4 * ml)
    pooled = 2 * found["overlap_ml"] / (found["pred_ml"] + found["truth_ml"])
    assert pooled == pytest.approx(found["dice"])


@settings(max_examples=30, deadline=None)
@given(masks, masks, lengths)
def test_the_numbers_are_those_of_medpy(pred, truth, spacing):
    installed("medpy")
    from medpy.metric import binary as medpy

    assume(pred.any() and truth.any())
    assert metrics.dice(pred, truth) == pytest.approx(medpy.dc(pred, truth))
    assert metrics.hd95_mm(pred, truth, spacing) == pytest.approx(medpy.hd95(pred, truth, spacing))
    # Its `assd` is the mean of the two surfaces' means; ours lets every voxel count the same.
    counts = [np.count_nonzero(m & ~ndimage.binary_erosion(m)) for m in (pred, truth)]
    means = medpy.asd(pred, truth, spacing), medpy.asd(truth, pred, spacing)
    assert metrics.asd_mm(pred, truth, spacing) == pytest.approx(np.average(means, weights=counts))


@settings(max_examples=20, deadline=None)
@given(masks, masks, lengths)
def test_the_overlap_is_that_of_simpleitk(pred, truth, spacing):
    installed("SimpleITK")  # MedPy brings it
    import SimpleITK as sitk

    assume(pred.any() and truth.any())
    images = [sitk.GetImageFromArray(m.astype(np.uint8)) for m in (pred, truth)]
    for image in images:
        image.SetSpacing(spacing[::-1])  # its axes run the other way
    filters = sitk.LabelOverlapMeasuresImageFilter()
    filters.Execute(*images)
    assert metrics.dice(pred, truth) == pytest.approx(filters.GetDiceCoefficient())
    shapes = sitk.LabelShapeStatisticsImageFilter()
    centres = []
    for image in images:
        shapes.Execute(image)
        centres.append(np.array(shapes.GetCentroid(1)))
    expected = np.linalg.norm(centres[0] - centres[1])
    assert metrics.centre_distance_mm(pred, truth, spacing) == pytest.approx(expected, abs=1e-9)


def test_surface_distance_ignores_the_inside():
    outer = cube((20, 20, 20), (4, 4, 4), (11, 11, 11))
    hollow = outer & ~cube((20, 20, 20), (9, 9, 9), (1, 1, 1))
    assert metrics.asd_mm(outer, outer, (1, 1, 1)) == 0.0
    assert 0 < metrics.asd_mm(hollow, outer, (1, 1, 1)) < 0.1


def test_concentric_balls_in_anisotropic_voxels():
    shape, centre = (30, 44, 50), (28.0, 27.5, 31.25)
    big, small = (ball(shape, SPACING, centre, r) for r in (20.0, 15.0))
    assert metrics.asd_mm(small, big, SPACING) == pytest.approx(5.0, abs=0.4)
    assert metrics.centre_distance_mm(small, big, SPACING) == pytest.approx(0.0, abs=1e-9)
    ratio = 2 * 15**3 / (15**3 + 20**3)
    assert metrics.dice(small, big) == pytest.approx(ratio, abs=0.01)


def test_shifted_balls():
    """Shift d of a ball: centres d apart, Dice of two equal balls in closed form."""
    shape, radius, steps = (30, 44, 50), 18.0, 4
    a = ball(shape, SPACING, (28.0, 25.0, 31.25), radius)
    b = ball(shape, SPACING, (28.0, 25.0 + steps * 1.25, 31.25), radius)
    shift = steps * 1.25
    overlap = 1 - 3 * shift / (4 * radius) + shift**3 / (16 * radius**3)
    assert metrics.centre_distance_mm(a, b, SPACING) == pytest.approx(shift)
    assert metrics.dice(a, b) == pytest.approx(overlap, abs=0.01)
    assert metrics.asd_mm(a, b, SPACING) == pytest.approx(shift / 2, rel=0.15)


def test_the_transform_and_the_tree_agree(monkeypatch):
    """Large masks take another way to the nearest voxel than small ones."""
    rng = np.random.default_rng(3)
    pred, truth = rng.random((2, 12, 14, 16)) < 0.1
    tree = metrics.asd_mm(pred, truth, SPACING)
    monkeypatch.setattr("ivdlib.data.masks._TREE_POINTS", 0)
    assert metrics.asd_mm(pred, truth, SPACING) == pytest.approx(tree)


@settings(max_examples=30, deadline=None)
@given(masks, masks, lengths)
def test_symmetry_and_range(pred, truth, spacing):
    diagonal = metrics.diagonal_mm(pred.shape, spacing)
    value = metrics.dice(pred, truth)
    assert value == metrics.dice(truth, pred)
    assert 0.0 <= value <= 1.0
    assert metrics.dice(pred, pred) == 1.0
    for distance in DISTANCES:
        there = distance(pred, truth, spacing)
        assert there == pytest.approx(distance(truth, pred, spacing))
        assert 0.0 <= there <= diagonal * (1 + 1e-12)
        assert distance(pred, pred, spacing) == 0.0


@settings(max_examples=30, deadline=None)
@given(masks, masks, lengths, st.permutations([0, 1, 2]))
def test_axes_may_be_permuted_with_their_spacing(pred, truth, spacing, order):
    turned = [spacing[axis] for axis in order]
    p, t = pred.transpose(order), truth.transpose(order)
    assert metrics.dice(p, t) == metrics.dice(pred, truth)
    for distance in DISTANCES:
        assert distance(p, t, turned) == pytest.approx(distance(pred, truth, spacing))


@settings(max_examples=20, deadline=None)
@given(masks, masks, st.floats(0.2, 5.0))
def test_distances_grow_with_the_voxels(pred, truth, factor):
    larger = [factor * length for length in SPACING]
    for distance in DISTANCES:
        expected = factor * distance(pred, truth, SPACING)
        assert distance(pred, truth, larger) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("pred", "words"),
    [
        (np.zeros((4, 5, 7), bool), "same grid"),
        (np.full((4, 5, 6), np.nan), "NaN"),
        (np.full((4, 5, 6), 0.5), "beside 0 and 1"),
        (np.full((4, 5, 6), 2, np.uint8), "beside 0 and 1"),
        (np.full((4, 5, 6), np.inf), "beside 0 and 1"),
        (np.full((4, 5, 6), "a"), "numbers"),
        (np.zeros(120, bool), "a slice or a volume"),
        (np.zeros((0, 5, 6), bool), "a slice or a volume"),
    ],
)
def test_bad_masks_are_refused(pred, words):
    truth = np.ones((4, 5, 6), bool)
    for call in (
        lambda: metrics.dice(pred, truth),
        lambda: metrics.asd_mm(truth, pred, SPACING),
        lambda: challenge.disc_scores(pred, truth, SPACING),
        lambda: metrics.slice_dice(pred, truth),
        lambda: metrics.score_volume(pred, truth, SPACING),
    ):
        with pytest.raises(DataError, match=words):
            call()


@pytest.mark.parametrize(
    "spacing", [(1, 1), (1, 1, 0), (1, -1, 1), (1, np.nan, 1), (1, np.inf, 1), None, "abc", 1.0]
)
def test_bad_spacing_is_refused(spacing):
    mask = np.ones((4, 5, 6), bool)
    for call in (
        metrics.asd_mm,
        metrics.centre_distance_mm,
        metrics.hd95_mm,
        challenge.disc_scores,
        metrics.score_volume,
    ):
        with pytest.raises(DataError, match="spacing"):
            call(mask, mask, spacing)
