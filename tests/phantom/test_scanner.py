"""Simulated scans."""

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from ivdlib.errors import ConfigError
from ivdlib.phantom import Conditions, simulate
from ivdlib.phantom.signal import TISSUE_CODES

PLANE = 128


@pytest.fixture(scope="module")
def scan():
    return simulate(subject=2, stage=1, seed=0, in_plane=PLANE)


def test_shapes_types_and_orientation(scan):
    assert set(scan.contrasts) == {"wat", "fat", "inn", "opp"}
    for image in scan.contrasts.values():
        assert image.shape == (36, PLANE, PLANE)
        assert image.dtype == np.int16
        assert image.min() >= 0
        assert 150 < image.max() < 2000
    assert nib.aff2axcodes(scan.affine) == ("L", "P", "S")
    np.testing.assert_allclose(np.linalg.norm(scan.affine[:3, :3], axis=0), [2, 2.5, 2.5])
    assert np.abs(scan.affine[:3, :3]).min() > 1e-4, "the slab should lie slightly oblique"


def test_water_and_fat_add_up_to_the_echoes(scan):
    images = {name: image.astype(int) for name, image in scan.contrasts.items()}
    wat, fat = images["wat"], images["fat"]
    open_ = (wat > 0) & (fat > 0)
    assert open_.mean() > 0.3
    assert np.abs(images["inn"] - wat - fat)[open_].max() <= 1
    assert np.abs(images["opp"] - np.abs(wat - fat))[open_].max() <= 1


def test_seven_discs_are_labelled_where_and_as_large_as_the_truth_says(scan):
    parts, count = ndimage.label(scan.exact, np.ones((3, 3, 3)))
    assert count == 7
    assert scan.exact.dtype == scan.labels.dtype == np.uint8
    np.testing.assert_array_equal(scan.exact, (scan.levels > 0) & (scan.levels <= 7))
    np.testing.assert_array_equal(scan.labels, (scan.drawn > 0) & (scan.drawn <= 7))
    assert set(np.unique(scan.levels)) == {*range(9)} or set(np.unique(scan.levels)) == {*range(10)}
    assert 0.007 < scan.exact.mean() < 0.019
    for number, disc in enumerate(scan.discs, start=1):
        label = scan.levels == number
        spot = scan.affine @ [*np.argwhere(label).mean(axis=0), 1]
        centre = np.array([disc["x_mm"], disc["y_mm"], disc["z_mm"]])
        assert np.linalg.norm(spot[:3] - centre) < 1.0
        assert disc["exact_ml"] == pytest.approx(disc["volume_ml"], rel=0.05)
        assert disc["label_ml"] == pytest.approx(disc["volume_ml"], rel=0.08)
        assert disc["area_mm2"] * disc["height_mm"] == pytest.approx(1000 * disc["volume_ml"])
        heights = [disc[f"height_{part}_mm"] for part in ("front", "middle", "back")]
        assert min(heights) < 1.4 * disc["height_mm"] < 2 * max(heights)
        assert 0 < disc["fat_fraction"] < 0.2
        assert len(np.unique(parts[label])) == 1
    height = [disc["z_mm"] for disc in scan.discs]
    assert height == sorted(height), "from L5/S1 upwards"


def test_a_rater_is_off_by_about_half_a_millimetre_and_no_disc_is_lost(scan):
    inside, outside = (
        ndimage.distance_transform_edt(mask, sampling=(2, 2.5, 2.5))
        for mask in (scan.exact > 0, scan.exact == 0)
    )
    wrong = scan.labels != scan.exact
    assert 0.03 < wrong.sum() / scan.exact.sum() < 0.2
    assert np.maximum(inside, outside)[wrong].max() <= 3.6, "a voxel or two at the border"
    exact = simulate(2, 1, 0, slices=3, in_plane=PLANE, conditions=Conditions(jitter_mm=0.0))
    np.testing.assert_array_equal(exact.labels, exact.exact)
    np.testing.assert_array_equal(exact.exact, scan.exact[16:19])
    for name, image in exact.contrasts.items():
        np.testing.assert_array_equal(image, scan.contrasts[name][16:19])


def test_the_tissue_map_agrees_with_the_labels_and_the_images(scan):
    code = TISSUE_CODES
    core = ndimage.binary_erosion(scan.exact)
    disc = [code[name] for name in code if name.startswith(("nucleus", "annulus", "cartilage"))]
    assert np.isin(scan.tissue[core], disc).mean() > 0.95
    assert (scan.tissue == 0).mean() > 0.2
    wat, fat = scan.contrasts["wat"], scan.contrasts["fat"]
    for name, bright, dark in (("muscle", wat, fat), ("fat", fat, wat)):
        spots = ndimage.binary_erosion(scan.tissue == code[name])
        assert spots.sum() > 500
        assert np.median(bright[spots]) > 3 * np.median(dark[spots])


def test_the_spine_mask_holds_the_discs_and_is_one_piece(scan):
    assert not np.any((scan.exact == 1) & (scan.spine == 0))
    _, count = ndimage.label(scan.spine)
    assert count == 1
    assert 0.03 < scan.spine.mean() < 0.12


def test_discs_stand_out_as_in_real_scans(scan):
    discs = scan.exact > 0
    core = ndimage.binary_erosion(discs)
    low, high = np.flatnonzero(discs.any(axis=(0, 1)))[[0, -1]]
    bone = ndimage.binary_erosion(scan.spine & ~ndimage.binary_dilation(discs), iterations=2)
    # The front half of the mask, so that the canal stays out.
    depth = np.cumsum(scan.spine, axis=1) * 2.5
    bone &= depth < 22
    bone[..., :low], bone[..., high:] = False, False
    mean = {
        name: (image[core].mean(), image[bone].mean()) for name, image in scan.contrasts.items()
    }
    disc = mean["wat"][0]
    assert mean["inn"][1] / mean["inn"][0] == pytest.approx(0.92, rel=0.25)
    assert 0.05 < mean["opp"][1] / mean["opp"][0] < 0.45
    assert mean["wat"][1] / disc == pytest.approx(0.57, rel=0.3)
    assert mean["fat"][1] / disc == pytest.approx(0.46, rel=0.4)
    assert mean["fat"][0] / disc < 0.12


def test_fewer_slices_are_the_central_ones(scan):
    few = simulate(subject=2, stage=1, seed=0, slices=3, in_plane=PLANE)
    first = (36 - 3) // 2
    for name, image in few.contrasts.items():
        np.testing.assert_array_equal(image, scan.contrasts[name][first : first + 3])
    np.testing.assert_array_equal(few.labels, scan.labels[first : first + 3])
    corner = scan.affine @ [first, 5, 7, 1]
    np.testing.assert_allclose(few.affine @ [0, 5, 7, 1], corner)
    assert few.discs[0]["volume_ml"] == scan.discs[0]["volume_ml"]
    assert few.discs[0]["z_mm"] == pytest.approx(scan.discs[0]["z_mm"])


def test_the_stages_differ_in_pose_and_noise():
    one, two = (simulate(3, stage, 0, slices=1, in_plane=64) for stage in (1, 2))
    assert not np.allclose(one.affine, two.affine)
    assert np.mean(one.contrasts["inn"] == two.contrasts["inn"]) < 0.9


@pytest.mark.parametrize(
    "wrong",
    [{"slices": 0}, {"slices": 37}, {"in_plane": 16}, {"in_plane": 257}, {"in_plane": 129}]
    + [{"subject": 0}, {"stage": 0}, {"seed": -1}],
)
def test_sizes_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        simulate(**wrong)
