import warnings

import numpy as np
import pytest

from ivdlib.data.cases import load_cases
from ivdlib.data.quality.label_shift import REACH_MM, find_label_shift

SPACING = (2.0, 1.25, 2.5)


def spine(shape=(6, 60, 60)):
    """Discs (water) between bodies (half fat) in fat; images and mask."""
    rng = np.random.default_rng(0)
    _, y, z = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    column = abs(y - 30) < 10
    discs = column & (z % 14 < 4) & (z > 10) & (z < 50)
    share = np.where(discs, 0.04, np.where(column, 0.42, 0.9))
    light = 100 + rng.normal(0, 5, shape)
    return {"wat": light * (1 - share), "fat": light * share}, discs


def moved(mask, forwards, upwards):
    return np.roll(mask, (forwards, upwards), axis=(1, 2))


def test_labels_in_their_place_fit():
    images, discs = spine()
    assert find_label_shift(images, SPACING, discs) is None


@pytest.mark.parametrize(
    ("voxels", "mm"),
    [((0, 2), (0, -5)), ((0, -3), (0, 7.5)), ((4, 0), (-5, 0)), ((-3, 1), (3.75, -2.5))],
)
def test_moved_labels_are_told_the_way_back(voxels, mm):
    images, discs = spine()
    assert find_label_shift(images, SPACING, moved(discs, *voxels)) == pytest.approx(mm)


@pytest.mark.parametrize("unit", [1e-30, 1e-6, 1 / 300, 300])
def test_the_unit_of_the_images_does_not_matter(unit):
    images, discs = spine()
    scaled = {name: image * unit for name, image in images.items()}
    for voxels in ((0, 0), (0, 2), (-4, 0)):
        there = moved(discs, *voxels)
        expected = find_label_shift(images, SPACING, there)
        assert find_label_shift(scaled, SPACING, there) == expected


def test_less_than_three_millimetres_is_a_rater_s_business():
    images, discs = spine()
    assert find_label_shift(images, SPACING, moved(discs, 2, 0)) is None


@pytest.mark.parametrize("shake", [-1e-6, 0, 1e-6])
@pytest.mark.parametrize("voxels", [3, 8])
def test_rounding_of_an_affine_hides_no_shift(shake, voxels):
    """Three and eight voxels of 1 mm are exactly the least and the farthest shift."""
    images, discs = spine()
    spacing = np.multiply((2.0, 1.0, 1.0), 1 + shake)
    found = find_label_shift(images, spacing, moved(discs, voxels, 0))
    assert found == pytest.approx((-voxels, 0), abs=1e-4)


def test_labels_beyond_reach_are_noticed():
    images, discs = spine()
    shift = find_label_shift(images, SPACING, moved(discs, 0, 4))
    assert shift is not None
    assert max(map(abs, shift)) <= REACH_MM


def test_nothing_is_said_without_labels_or_without_water():
    images, discs = spine()
    assert find_label_shift(images, SPACING, np.zeros_like(discs)) is None
    grey = {"wat": np.full(discs.shape, 50), "fat": np.full(discs.shape, 50)}
    assert find_label_shift(grey, SPACING, moved(discs, 0, 2)) is None
    empty = {name: np.zeros(discs.shape) for name in ("wat", "fat")}
    assert find_label_shift(empty, SPACING, discs) is None


def test_real_crops(shared):
    """The labels of the challenge lie where they belong; moved up by 5 mm they do not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = load_cases(shared / "data" / "ivdm3seg_crops")
    for case in cases:
        assert find_label_shift(case.contrasts, case.spacing, case.discs) is None, case.name
        up = moved(case.discs, 0, 4)
        up[:, :, :4] = False
        assert find_label_shift(case.contrasts, case.spacing, up) is not None, case.name
