"""Masks that are no discs fail, though a piece of them lies in every gap."""

import numpy as np
import pytest
from scipy import ndimage

from ivdlib.errors import DataError
from ivdlib.evaluation.gaps import score_gaps, score_names

SPACING = (4.0, 1.5, 1.5)
SHAPE = (16, 80, 120)
BODY, GAP = 18, 7  # pixels of 1.5 mm along SI


def column(tilt=0.0):
    """Four bodies, the discs between them, and one below; `tilt` in pixels of AP a pixel of SI."""
    bodies, discs = np.zeros(SHAPE, int), np.zeros(SHAPE, bool)
    start = 14
    for number in range(4, 0, -1):
        discs[4:12, 28:50, start - GAP : start] = True
        bodies[4:12, 28:50, start : start + BODY] = number
        start += BODY + GAP
    if tilt:
        matrix, offset = np.eye(3), np.zeros(3)
        matrix[1, 2], offset[1] = -tilt, tilt * SHAPE[2] / 2
        move = {"matrix": matrix, "offset": offset, "order": 0}
        bodies = ndimage.affine_transform(bodies, **move)
        discs = ndimage.affine_transform(discs.astype(np.uint8), **move) > 0
    return bodies, discs


@pytest.mark.parametrize("tilt", [0.0, 0.3, -0.3])
def test_true_discs(tilt):
    bodies, discs = column(tilt)
    found = score_gaps(discs, bodies, SPACING)
    assert [gap.pieces for gap in found.gaps] == [1, 1, 1]
    assert found.below and not found.astray and not found.specks and found.bone == 0
    for gap in found.gaps:
        assert 0.9 < gap.fill < 1.15 and abs(gap.offset) < 0.25


def test_small_balls_fill_nothing():
    bodies, discs = column()
    balls = np.zeros_like(discs)
    labels, count = ndimage.label(discs)
    for middle in ndimage.center_of_mass(discs, labels, range(1, count + 1)):
        far = (np.indices(SHAPE).T - middle) * SPACING
        balls |= (np.linalg.norm(far, axis=-1) <= 6.5).T
    found = score_gaps(balls, bodies, SPACING)
    assert [gap.pieces for gap in found.gaps] == [1, 1, 1] and found.bone < 0.01
    assert max(gap.fill for gap in found.gaps) < 0.4


@pytest.mark.parametrize("by", [1, -1])
def test_a_mask_moved_by_a_pixel_lies_beside_the_middle(by):
    bodies, discs = column()
    found = score_gaps(np.roll(discs, by, axis=2), bodies, SPACING)
    for gap in found.gaps:
        assert 0.5 < by * gap.offset < 1.5


def test_a_mask_that_reaches_into_bone():
    bodies, discs = column()
    thick = ndimage.binary_dilation(discs, np.ones((1, 1, 7)))
    found = score_gaps(thick, bodies, SPACING)
    assert found.bone > 0.1 and min(gap.fill for gap in found.gaps) > 1.5


def test_pieces_that_are_too_many_too_few_astray_or_too_small():
    bodies, discs = column()
    discs[:, :, 32:39] = False  # the lowest gap
    discs[:, 28:50, 60] = False  # the middle one is in two
    discs[7:10, 70:78, 60:66] = True  # on nobody's spine
    discs[2, 5, 30] = True
    discs[:, :, :14] = False  # L5/S1
    found = score_gaps(discs, bodies, SPACING)
    assert [gap.pieces for gap in found.gaps] == [0, 2, 1]
    assert np.isnan(found.gaps[0].offset) and found.gaps[0].fill == 0
    assert (found.astray, found.specks, found.below) == (1, 1, False)


def test_nothing_to_score():
    bodies, discs = column()
    assert np.isnan(score_gaps(discs & False, bodies, SPACING).bone)
    with pytest.raises(DataError, match="fewer than two"):
        score_gaps(discs, (bodies == 1).astype(int), SPACING)
    with pytest.raises(DataError, match="shape"):
        score_gaps(discs[1:], bodies, SPACING)


def test_names_are_held_against_the_bodies():
    bodies, discs = column()
    numbers, _ = ndimage.label(discs)
    order = np.argsort(ndimage.center_of_mass(discs, numbers, range(1, 5)), axis=0)[:, 2]
    labels = np.zeros_like(numbers)
    for k, old in enumerate(order + 1, start=1):
        labels[numbers == old] = k
    names = ("L2", "L3", "L4", "L5")
    right = ["L5/S1", "L4/5", "L3/4", "L2/3"]
    assert score_names(labels, right, bodies, names, SPACING) == [(n, n) for n in right]
    shifted = ["L4/5", "L3/4", "L2/3", "L1/2"]
    found = score_names(labels, shifted, bodies, names, SPACING)
    assert found == [*zip(right, shifted, strict=True)]
    labels[labels == 2] = 0
    names = ("T11", "T12", "L1", "L2")
    found = score_names(np.where(labels > 2, labels - 1, labels), ["x", "y", "z"], bodies, names,
                        SPACING)  # fmt: skip
    assert found == [("T12/L1", "y"), ("T11/12", "z")]  # below L2 lies a disc that nobody asked for
