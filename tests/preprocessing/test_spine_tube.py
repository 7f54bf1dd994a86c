"""A mask of the spine made from discs."""

import numpy as np
import pytest
from shapes import SPACING, plate

from ivdlib.errors import DataError
from ivdlib.preprocessing import spine_tube


def lordosis(heights):
    """Discs on a curve that leans forward and back again."""
    return [(18, round(50 + 12 * np.sin(z / 40)), z) for z in heights]


def test_the_tube_follows_the_discs():
    centres = lordosis([20, 50, 80, 110, 140])
    mask = np.any([plate(c) for c in centres], axis=0)
    tube = spine_tube.spine_from_discs(mask, SPACING)
    assert tube.shape == mask.shape and tube.dtype == bool
    assert not (mask & ~tube).any()
    half_x, half_y = spine_tube.SPINE_HALF_AXES_MM
    for x, y, z in [*centres, *lordosis([35, 65, 95, 125])]:
        across, along = np.nonzero(tube[:, y, z])[0], np.nonzero(tube[x, :, z])[0]
        assert (along.min() + along.max()) / 2 == pytest.approx(y, abs=1.5)
        assert np.ptp(along) * SPACING[1] == pytest.approx(2 * half_y, abs=2.5)
        assert np.ptp(across) * SPACING[0] == pytest.approx(2 * half_x, abs=4)


def test_the_tube_goes_on_straight_for_one_disc_spacing():
    centres = [(18, 30, 60), (18, 40, 90), (18, 50, 120)]
    tube = spine_tube.spine_from_discs(np.any([plate(c) for c in centres], axis=0), SPACING)
    height = np.flatnonzero(tube.any(axis=(0, 1)))
    assert (height[0], height[-1]) == (30, 150)
    for z, y in ((30, 20), (150, 60)):
        along = np.flatnonzero(tube[18, :, z])
        assert (along[0] + along[-1]) / 2 == pytest.approx(y, abs=1)


def test_one_disc_gives_an_upright_tube():
    tube = spine_tube.spine_from_discs(plate((18, 50, 100)), SPACING)
    height = np.flatnonzero(tube.any(axis=(0, 1)))
    assert np.ptp(height) * SPACING[2] == pytest.approx(2 * spine_tube.DISC_SPACING_MM, abs=2.5)
    assert np.array_equal(tube[:, :, height[0]], tube[:, :, height[-1]])


def test_discs_wider_than_the_tube_belong_to_the_spine():
    wide = plate((18, 50, 100), half=(17, 30, 3))
    assert spine_tube.spine_from_discs(wide, SPACING)[wide].all()


def test_the_tube_is_clipped_to_the_volume():
    small = plate((3, 5, 4), half=(2, 3, 2), shape=(7, 10, 8))
    assert spine_tube.spine_from_discs(small, SPACING).all()


def test_a_broken_disc_does_not_bend_the_tube():
    """A disc in two pieces counts once, and a speck far away not at all."""
    centres = [(18, 50, 40), (18, 50, 70), (18, 50, 100)]
    whole = np.any([plate(c) for c in centres], axis=0)
    broken = whole.copy()
    broken[:, 49:52, 60:80] = False
    broken[:, 52:, 60:80] = np.roll(broken[:, 52:, 60:80], 4, axis=2)
    broken[0, 0, 190] = True
    a, b = (spine_tube.spine_from_discs(m, SPACING) for m in (whole, broken))
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
        spine_tube.spine_from_discs(mask, spacing)
