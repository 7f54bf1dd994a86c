"""Scores against closed forms, and the rules for what is empty, missed or broken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ivdlib import metrics
from ivdlib.errors import DataError

SPACING = (2.0, 1.25, 1.25)


def cube(shape, start, size):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, a + s) for a, s in zip(start, size, strict=True))] = True
    return mask


def ball(shape, spacing, centre_mm, radius_mm):
    grid = np.indices(shape) * np.reshape(spacing, (-1, 1, 1, 1))
    return ((grid - np.reshape(centre_mm, (-1, 1, 1, 1))) ** 2).sum(0) <= radius_mm**2


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
    assert metrics.asd_mm(empty, empty, SPACING) == 0.0
    assert metrics.centre_distance_mm(empty, empty, SPACING) == 0.0
    for pred, truth in ((empty, full), (full, empty)):
        assert metrics.dice(pred, truth) == 0.0
        assert metrics.asd_mm(pred, truth, SPACING) == pytest.approx(diagonal)
        assert metrics.centre_distance_mm(pred, truth, SPACING) == pytest.approx(diagonal)


def test_a_missed_disc_gets_the_diagonal_of_the_challenge():
    assert metrics.diagonal_mm((36, 256, 256), SPACING) == pytest.approx(458.2, abs=0.05)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_surface_distance_of_shifted_plates(axis):
    """Two plates of one voxel, as wide as the volume, 3 voxels apart: every distance is the gap."""
    a, b = np.zeros((7, 8, 9), bool), np.zeros((7, 8, 9), bool)
    a[(slice(None),) * axis + (1,)] = True
    b[(slice(None),) * axis + (4,)] = True
    gap = 3 * SPACING[axis]
    assert metrics.asd_mm(a, b, SPACING) == pytest.approx(gap)
    assert metrics.centre_distance_mm(a, b, SPACING) == pytest.approx(gap)


def test_surface_distance_counts_each_surface_voxel_once():
    """One voxel against a row of three: 0 from the one; 1, 0 and 1 mm from the three."""
    one, three = cube((1, 1, 5), (0, 0, 2), (1, 1, 1)), cube((1, 1, 5), (0, 0, 1), (1, 1, 3))
    assert metrics.asd_mm(one, three, (1, 1, 1)) == pytest.approx((0 + 1 + 0 + 1) / 4)


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
    monkeypatch.setattr("ivdlib.discs._TREE_POINTS", 0)
    assert metrics.asd_mm(pred, truth, SPACING) == pytest.approx(tree)


@settings(max_examples=30, deadline=None)
@given(masks, masks, lengths)
def test_symmetry_and_range(pred, truth, spacing):
    diagonal = metrics.diagonal_mm(pred.shape, spacing)
    value = metrics.dice(pred, truth)
    assert value == metrics.dice(truth, pred)
    assert 0.0 <= value <= 1.0
    assert metrics.dice(pred, pred) == 1.0
    for distance in (metrics.asd_mm, metrics.centre_distance_mm):
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
    for distance in (metrics.asd_mm, metrics.centre_distance_mm):
        assert distance(p, t, turned) == pytest.approx(distance(pred, truth, spacing))


@settings(max_examples=20, deadline=None)
@given(masks, masks, st.floats(0.2, 5.0))
def test_distances_grow_with_the_voxels(pred, truth, factor):
    larger = [factor * length for length in SPACING]
    for distance in (metrics.asd_mm, metrics.centre_distance_mm):
        expected = factor * distance(pred, truth, SPACING)
        assert distance(pred, truth, larger) == pytest.approx(expected)


def spine(count, shape=(12, 20, 120), step=13):
    truth = np.zeros(shape, bool)
    for k in range(count):
        truth |= cube(shape, (2, 5, 4 + step * k), (8, 10, 5))
    return truth


def test_disc_scores_of_a_perfect_prediction():
    truth = spine(7)
    rows = metrics.disc_scores(truth, truth, SPACING)
    assert [row["level"] for row in rows][:2] == ["L5/S1", "L4/5"]
    assert [row["disc"] for row in rows] == list(range(1, 8))
    assert all(row["dice"] == 1 and row["asd_mm"] == row["centre_distance_mm"] == 0 for row in rows)
    assert not any(row["missed"] or row["touches_border"] for row in rows)


def test_each_disc_has_its_own_score():
    truth = spine(4)
    pred = truth.copy()
    pred[:, :, :13] = np.roll(truth[:, :, :13], 2, axis=1)
    pred[:, :, 28:37] = False
    rows = metrics.disc_scores(pred, truth, SPACING)
    assert [row["dice"] for row in rows] == pytest.approx([0.8, 1.0, 0.0, 1.0])
    assert rows[0]["centre_distance_mm"] == pytest.approx(2.5)
    diagonal = metrics.diagonal_mm(truth.shape, SPACING)
    assert rows[2]["missed"]
    assert rows[2]["asd_mm"] == rows[2]["centre_distance_mm"] == pytest.approx(diagonal)
    assert [row["level"] for row in rows] == [""] * 4


def test_a_disc_far_away_counts_against_the_nearest_one():
    truth = spine(3)
    pred = truth | cube(truth.shape, (2, 5, 100), (8, 10, 5))
    rows = metrics.disc_scores(pred, truth, SPACING)
    assert [row["dice"] for row in rows] == pytest.approx([1.0, 1.0, 2 / 3])
    assert rows[2]["centre_distance_mm"] == pytest.approx((100 - 30) * 1.25 / 2)


def test_specks_of_the_truth_are_no_discs():
    truth = spine(2)
    truth[0, 0, 110] = True
    assert len(metrics.disc_scores(spine(2), truth, SPACING)) == 2
    assert metrics.score_volume(spine(2), truth, SPACING)["dice"] < 1


def test_discs_at_the_border_are_marked():
    truth = cube((10, 10, 60), (2, 2, 5), (6, 6, 5)) | cube((10, 10, 60), (2, 4, 30), (6, 6, 5))
    rows = metrics.disc_scores(truth, truth, SPACING)
    assert [row["touches_border"] for row in rows] == [False, True]
    assert metrics.score_volume(truth, truth, SPACING)["touches_border"]
    inside = cube((10, 10, 60), (2, 2, 5), (6, 6, 5))
    assert not metrics.score_volume(truth, inside, SPACING)["touches_border"]


def test_score_gives_both_views():
    truth = spine(3)
    pred = truth.copy()
    pred[:, :, :13] = False
    result = metrics.score(pred, truth, SPACING)
    assert result["volume"]["dice"] == pytest.approx(2 * 2 / 5)
    assert result["volume"]["truth_ml"] == pytest.approx(3 * 400 * 3.125e-3)
    assert result["volume"]["pred_ml"] == pytest.approx(2 * 400 * 3.125e-3)
    assert result["mean_over_discs"]["dice"] == pytest.approx(2 / 3)
    assert len(result["discs"]) == 3


def test_without_discs_there_is_nothing_to_average():
    empty = np.zeros((4, 5, 6), bool)
    result = metrics.score(empty, empty, SPACING)
    assert result["discs"] == [] and result["mean_over_discs"] == {}
    assert result["volume"]["dice"] == 1.0 and not result["volume"]["touches_border"]


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32, np.float64])
def test_any_number_type_may_hold_a_mask(kind):
    truth = spine(2)
    assert metrics.score_volume(truth.astype(kind), truth, SPACING)["dice"] == 1.0


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
        lambda: metrics.disc_scores(pred, truth, SPACING),
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
        metrics.disc_scores,
        metrics.score_volume,
    ):
        with pytest.raises(DataError, match="spacing"):
            call(mask, mask, spacing)


def test_discs_need_a_volume():
    flat = np.ones((5, 6), bool)
    with pytest.raises(DataError, match="whole volumes"):
        metrics.disc_scores(flat, flat, (1, 1))
