"""Signal and noise of regions that were made to measure."""

import numpy as np
import pytest

from ivdlib.errors import DataError
from ivdlib.phantom.calibration import regions

NAMES = {1: "skin", 2: "nucleus", 3: "annulus", 4: "marrow", 5: "muscle", 6: "fat", 7: "gas"}
WATER = {0: 0, 1: 50, 2: 200, 3: 150, 4: 60, 5: 100, 6: 4, 7: 0}
FAT = {0: 0, 1: 10, 2: 12, 3: 12, 4: 80, 5: 3, 6: 300, 7: 0}


@pytest.fixture
def body() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tissue, exact discs and spine: a box of layers, from the back (low) to the front."""
    tissue = np.zeros((20, 120, 60), np.uint8)
    tissue[:, 20:100] = 6
    tissue[:, 20] = tissue[:, 99] = 1
    tissue[:, 30:50] = 5
    tissue[:, 50:80] = 4
    tissue[:, 55:75, 10:20] = tissue[:, 55:75, 40:50] = 2
    tissue[:, 52:55, 10:20] = 3
    tissue[:, 85:90, 20:40] = 7
    exact = np.zeros(tissue.shape, bool)
    exact[4:16, 52:75, 10:20] = exact[4:16, 52:75, 40:50] = True
    return tissue, exact, np.isin(tissue, (2, 3, 4)) & (np.arange(60) < 55)


def test_ratios_are_those_of_the_tissues_means(body):
    tissue, exact, spine = body
    where = regions.tissue_regions(tissue, NAMES, exact, spine, (2, 1.25, 1.25))
    wat, fat = (np.vectorize(table.get)(tissue).astype(np.float32) for table in (WATER, FAT))
    ratios = regions.contrast_ratios(
        {"wat": wat, "fat": fat, "inn": wat + fat, "opp": np.abs(wat - fat)}, where
    )
    disc = wat[where["disc"]].mean()
    assert 150 < disc < 200, "nucleus and annulus, the latter's outermost voxels off"
    assert ratios["marrow_disc_wat"] == pytest.approx(60 / disc)
    assert ratios["marrow_disc_inn"] == pytest.approx(140 / (disc + 12))
    assert ratios["marrow_disc_opp"] == pytest.approx(20 / (disc - 12))
    assert ratios["marrow_fat"] == pytest.approx(80 / disc)
    assert ratios["disc_fat"] == pytest.approx(12 / disc)
    assert ratios["muscle_wat"] == pytest.approx(100 / disc)
    assert ratios["skin_fat"] == pytest.approx(300 / disc)


def test_regions_lie_where_they_should(body):
    tissue, exact, spine = body
    where = regions.tissue_regions(tissue, NAMES, exact, spine, (2, 1.25, 1.25))
    assert not (where["disc"] & ~exact).any()
    planes = np.flatnonzero(where["marrow"].any(axis=(0, 1)))
    assert (planes[0], planes[-1]) == (11, 48), "between the lowest and the highest labelled disc"
    slices = np.flatnonzero(where["muscle"].any(axis=(1, 2)))
    assert (slices[0], slices[-1]) == (6, 13), "8 mm to either side of the middle, 9.5"
    fronts = np.flatnonzero(where["fat_front"].any(axis=(0, 2)))
    backs = np.flatnonzero(where["fat_back"].any(axis=(0, 2)))
    assert fronts[0] >= 99 - 16 and fronts[-1] == 97
    assert (backs[0], backs[-1]) == (22, 28), "20 mm would reach into the muscle"
    airs = np.flatnonzero(where["air"].any(axis=(0, 2)))
    assert airs.max() == 119 and airs.min() == 0
    assert not where["air"][:, 11:109].any(), "12 mm off the body"
    assert not where["air"][tissue == 7].any()


def test_a_thin_region_keeps_its_outermost_voxels():
    mask = np.zeros((9, 9, 9), bool)
    mask[2:7, 2:7, 2:7] = True
    near = np.ones((9, 1, 1), bool)
    np.testing.assert_array_equal(regions.inner(mask, near), mask)
    large = np.zeros((12, 12, 12), bool)
    large[1:11, 1:11, 1:11] = True
    assert regions.inner(large, np.ones((12, 1, 1), bool)).sum() == 8**3


def test_regions_without_a_disc_are_refused(body):
    tissue, exact, spine = body
    with pytest.raises(DataError, match="exact label is empty"):
        regions.tissue_regions(tissue, NAMES, np.zeros_like(exact), spine, (2, 1.25, 1.25))


def test_noise_and_coil_are_found_again(body):
    tissue, exact, spine = body
    where = regions.tissue_regions(tissue, NAMES, exact, spine, (2, 1.25, 1.25))
    rng = np.random.default_rng(0)
    clean = np.where(tissue > 0, 120.0, 0) * np.where(np.arange(120) < 60, 4, 1)[None, :, None]
    noise = 5 * (rng.standard_normal(clean.shape) + 1j * rng.standard_normal(clean.shape))
    found = regions.receiver(np.abs(clean + noise), where)
    middle = np.abs(clean + noise)[where["disc"]].mean()
    assert found["noise_disc"] == pytest.approx(5 / middle, rel=0.02)
    assert found["back_front"] == pytest.approx(4, rel=0.01)


def test_identities_count_voxels_where_nothing_was_cut_off():
    wat, fat = np.array([10.0, 10, 10, 10, 0]), np.array([4.0, 4, 4, 40, 9])
    inn, opp = np.array([14.0, 15, 16, 50, 99]), np.array([6.0, 6, 4, 30, 99])
    found = regions.identities({"wat": wat, "fat": fat, "inn": inn, "opp": opp})
    assert found == {"inn_holds": 3 / 4, "opp_holds": 3 / 4}
    nothing = regions.identities(dict.fromkeys(("wat", "fat", "inn", "opp"), np.zeros(3)))
    assert np.isnan(nothing["inn_holds"])
