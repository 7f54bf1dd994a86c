"""Components, specks, numbered discs, the nearest disc, names of levels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shapes import SPACING, plate

from ivdlib.data import discs, masks
from ivdlib.errors import DataError


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
        patch.setattr(masks, "_TREE_POINTS", points)
        split = discs.split_by_nearest_disc(pred, truth, SPACING)
    assert np.array_equal(split > 0, pred)
    where = np.argwhere(truth) * SPACING
    for voxel in np.argwhere(pred):
        distance = np.linalg.norm(where - voxel * SPACING, axis=1)
        nearest = truth[truth > 0][distance <= distance.min() + 1e-9]
        assert split[tuple(voxel)] in nearest


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
