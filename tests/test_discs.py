"""Components, specks, the nearest disc, names of levels, and a spine made from discs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ivdlib import discs
from ivdlib.errors import DataError

SPACING = (2.0, 1.25, 1.25)
SHAPE = (36, 100, 200)


def plate(centre, half=(8, 10, 3), shape=SHAPE):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(max(c - h, 0), c + h + 1) for c, h in zip(centre, half, strict=True))] = True
    return mask


def test_components_are_numbered_from_caudal_to_cranial():
    centres = [(20, 50, 150), (18, 40, 30), (22, 60, 90)]
    labels = discs.components(np.any([plate(c) for c in centres], axis=0))
    assert [labels[c] for c in centres] == [3, 1, 2]
    assert labels.max() == 3 and labels[0, 0, 0] == 0


def test_corners_connect():
    mask = np.zeros((3, 3, 3), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    assert discs.components(mask).max() == 1
    mask[1, 1, 1], mask[2, 2, 2] = False, True
    assert discs.components(mask).max() == 2


@settings(max_examples=30, deadline=None)
@given(arrays(bool, (4, 5, 6)))
def test_components_cover_the_mask_in_order_of_height(mask):
    labels = discs.components(mask)
    assert np.array_equal(labels > 0, mask)
    heights = [np.nonzero(labels == n)[2].mean() for n in range(1, labels.max() + 1)]
    assert heights == sorted(heights)


def test_specks_go_and_discs_stay():
    disc = plate((18, 50, 100)) | plate((18, 50, 40), half=(4, 5, 2))
    dirty = disc.copy()
    dirty[0, 0, :5] = True
    assert np.array_equal(discs.clean_specks(dirty), disc)
    assert np.array_equal(discs.clean_specks(dirty, min_voxels=6), disc)
    assert np.array_equal(discs.clean_specks(dirty, min_voxels=5), dirty)
    assert np.array_equal(discs.clean_specks(disc, min_voxels=600), plate((18, 50, 100)))


@settings(max_examples=30, deadline=None)
@given(arrays(bool, (4, 5, 6)))
def test_cleaning_by_default_only_takes_away_and_never_all(mask):
    clean = discs.clean_specks(mask)
    assert not (clean & ~mask).any()
    assert clean.any() == mask.any()


def test_discs_of_different_values_stay_apart_where_they_touch():
    low, high = plate((18, 40, 30)), plate((18, 40, 37))  # one face on another
    labels = np.where(low, 7, np.where(high, 3, 0)).astype(np.uint8)
    found = discs.number_discs(labels)
    assert np.array_equal(found == 1, low) and np.array_equal(found == 2, high)
    assert discs.number_discs(labels > 0).max() == 1


def test_one_value_may_mark_several_discs():
    """As where a value is a grade: pieces of one value are discs of their own."""
    centres = [(20, 50, 150), (18, 40, 30), (22, 60, 90)]
    labels = sum(grade * plate(c) for c, grade in zip(centres, (1, 4, 1), strict=True))
    labels[0, 0, 0] = 4  # a speck
    found = discs.number_discs(labels)
    assert [found[c] for c in centres] == [3, 1, 2] and found[0, 0, 0] == 0
    assert not discs.number_discs(np.zeros((2, 3, 4), int)).any()


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint32, np.int64, np.uint64])
def test_numbers_of_any_integer_type(kind):
    labels = np.zeros((4, 5, 30), kind)
    high = np.iinfo(kind).max
    labels[1:3, 1:4, 20:25], labels[1:3, 1:4, 15:20], labels[1:3, 1:4, 3:6] = 1, high, high
    found = discs.number_discs(labels)
    assert [found[1, 1, z] for z in (0, 4, 16, 22)] == [0, 1, 2, 3] and found.max() == 3


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, (5, 6, 12), elements=st.integers(0, 3)))
def test_numbered_discs_against_the_pieces_of_each_value(labels):
    found = discs.number_discs(labels)
    pieces = []
    for value in range(1, 4):
        mine = discs.components(discs.clean_specks(labels == value))
        pieces += [mine == i for i in range(1, mine.max() + 1)]
    assert found.max() == len(pieces) and (found > 0).sum() == sum(p.sum() for p in pieces)
    assert all(len(set(found[piece])) == 1 for piece in pieces)
    height = [np.nonzero(found == i)[-1].mean() for i in range(1, len(pieces) + 1)]
    assert np.all(np.diff(height) > -1e-9)


@pytest.mark.parametrize("labels", [np.full((2, 2, 2), -1), np.full((2, 2, 2), 0.5)])
def test_what_numbers_no_disc_is_refused(labels):
    with pytest.raises(DataError, match="the truth holds values beside 0 and 1"):
        discs.number_discs(labels)


def test_voxels_go_to_the_nearest_disc_in_mm():
    truth = np.zeros((9, 1, 9), np.int32)
    truth[0, 0, 4], truth[4, 0, 8] = 1, 2
    pred = np.zeros(truth.shape, bool)
    pred[3, 0, 4] = pred[0, 0, 4] = True
    # 3 voxels across to disc 1; 1 across and 4 up to disc 2.
    assert discs.split_by_nearest_disc(pred, truth, (1.0, 1.0, 1.0))[3, 0, 4] == 1
    assert discs.split_by_nearest_disc(pred, truth, (4.0, 1.0, 1.0))[3, 0, 4] == 2


@settings(max_examples=30, deadline=None)
@given(arrays(bool, (4, 5, 6)), st.integers(0, 2**31), st.sampled_from([0, 200_000]))
def test_split_against_brute_force(pred, seed, points):
    truth = np.random.default_rng(seed).integers(0, 40, pred.shape)
    truth = np.where(truth < 4, truth, 0)
    truth[0, 0, 0] = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discs, "_TREE_POINTS", points)
        split = discs.split_by_nearest_disc(pred, truth, SPACING)
    assert np.array_equal(split > 0, pred)
    where = np.argwhere(truth) * SPACING
    for voxel in np.argwhere(pred):
        distance = np.linalg.norm(where - voxel * SPACING, axis=1)
        nearest = truth[truth > 0][distance <= distance.min() + 1e-9]
        assert split[tuple(voxel)] in nearest


@pytest.mark.parametrize("points", [0, 200_000])
def test_nearest_voxel_far_from_the_origin(monkeypatch, points):
    monkeypatch.setattr(discs, "_TREE_POINTS", points)
    of, to = np.zeros((2, 20, 20, 20), bool)
    of[12, 13, 14] = to[15, 13, 14] = to[12, 17, 14] = True
    distance, where = discs.nearest(of, to, SPACING)
    assert distance == pytest.approx([5.0])
    assert [int(w[0]) for w in where] == [12, 17, 14]


def test_split_refuses_what_it_cannot_do():
    pred, truth = np.ones((3, 4, 5), bool), np.zeros((3, 4, 5), np.int32)
    with pytest.raises(DataError, match="no disc"):
        discs.split_by_nearest_disc(pred, truth, SPACING)
    with pytest.raises(DataError, match="shape"):
        discs.split_by_nearest_disc(pred, truth[:2], SPACING)
    with pytest.raises(DataError, match="spacing"):
        discs.split_by_nearest_disc(pred, truth + 1, (1.0, 1.0))


def test_only_seven_discs_have_names():
    assert discs.disc_levels(7)[0] == "L5/S1" and discs.disc_levels(7)[-1] == "T11/12"
    for count in (0, 1, 6, 8, 9):
        assert discs.disc_levels(count) == [""] * count


def lordosis(heights):
    """Discs on a curve that leans forward and back again."""
    return [(18, round(50 + 12 * np.sin(z / 40)), z) for z in heights]


def test_the_tube_follows_the_discs():
    centres = lordosis([20, 50, 80, 110, 140])
    mask = np.any([plate(c) for c in centres], axis=0)
    tube = discs.spine_from_discs(mask, SPACING)
    assert tube.shape == mask.shape and tube.dtype == bool
    assert not (mask & ~tube).any()
    half_x, half_y = discs.SPINE_HALF_AXES_MM
    for x, y, z in [*centres, *lordosis([35, 65, 95, 125])]:
        across, along = np.nonzero(tube[:, y, z])[0], np.nonzero(tube[x, :, z])[0]
        assert (along.min() + along.max()) / 2 == pytest.approx(y, abs=1.5)
        assert np.ptp(along) * SPACING[1] == pytest.approx(2 * half_y, abs=2.5)
        assert np.ptp(across) * SPACING[0] == pytest.approx(2 * half_x, abs=4)


def test_the_tube_goes_on_straight_for_one_disc_spacing():
    centres = [(18, 30, 60), (18, 40, 90), (18, 50, 120)]
    tube = discs.spine_from_discs(np.any([plate(c) for c in centres], axis=0), SPACING)
    height = np.flatnonzero(tube.any(axis=(0, 1)))
    assert (height[0], height[-1]) == (30, 150)
    for z, y in ((30, 20), (150, 60)):
        along = np.flatnonzero(tube[18, :, z])
        assert (along[0] + along[-1]) / 2 == pytest.approx(y, abs=1)


def test_one_disc_gives_an_upright_tube():
    tube = discs.spine_from_discs(plate((18, 50, 100)), SPACING)
    height = np.flatnonzero(tube.any(axis=(0, 1)))
    assert np.ptp(height) * SPACING[2] == pytest.approx(2 * discs.DISC_SPACING_MM, abs=2.5)
    assert np.array_equal(tube[:, :, height[0]], tube[:, :, height[-1]])


def test_discs_wider_than_the_tube_belong_to_the_spine():
    wide = plate((18, 50, 100), half=(17, 30, 3))
    assert discs.spine_from_discs(wide, SPACING)[wide].all()


def test_the_tube_is_clipped_to_the_volume():
    small = plate((3, 5, 4), half=(2, 3, 2), shape=(7, 10, 8))
    assert discs.spine_from_discs(small, SPACING).all()


def test_a_broken_disc_does_not_bend_the_tube():
    """A disc in two pieces counts once, and a speck far away not at all."""
    centres = [(18, 50, 40), (18, 50, 70), (18, 50, 100)]
    whole = np.any([plate(c) for c in centres], axis=0)
    broken = whole.copy()
    broken[:, 49:52, 60:80] = False
    broken[:, 52:, 60:80] = np.roll(broken[:, 52:, 60:80], 4, axis=2)
    broken[0, 0, 190] = True
    a, b = (discs.spine_from_discs(m, SPACING) for m in (whole, broken))
    b[0, 0, 190] = False
    assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.99


@pytest.mark.parametrize(
    ("mask", "spacing", "words"),
    [
        (np.zeros((4, 5, 6), bool), SPACING, "empty"),
        (np.ones((5, 6), bool), (1, 1), "volume"),
        (np.full((4, 5, 6), 3), SPACING, "beside 0 and 1"),
        (np.ones((4, 5, 6), bool), (1, 1), "spacing"),
    ],
)
def test_no_spine_from_bad_input(mask, spacing, words):
    with pytest.raises(DataError, match=words):
        discs.spine_from_discs(mask, spacing)
