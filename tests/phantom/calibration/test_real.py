"""Statistics of real scans are the published ones."""

import numpy as np
import pytest

from ivdlib.data.discs import LEVELS
from ivdlib.phantom.calibration import real


def test_real_statistics_are_the_published_ones():
    statistics = real.real_statistics()
    assert tuple(statistics["levels"]) == LEVELS
    mean = {level: np.mean(v) for level, v in statistics["volume_ml"].items()}
    spread = {level: np.std(v, ddof=1) for level, v in statistics["volume_ml"].items()}
    assert mean["L4/5"] == pytest.approx(17.9, abs=0.05)
    assert spread["L4/5"] == pytest.approx(5.0, abs=0.05)
    assert mean["T11/12"] == pytest.approx(7.2, abs=0.05)
    assert real.band("volume_ml", "L4/5") == pytest.approx((7.80, 27.94), abs=0.01)
    assert list(statistics["centre_spacing_z_mm"]) == list(LEVELS[:-1])
    assert "SFDA" in statistics["source"] and "72a0a8d0" in statistics["source"]


def test_real_volumes_add_up_and_give_the_share_of_the_voxels():
    statistics = real.real_statistics()
    totals = np.sum([*statistics["volume_ml"].values()], axis=0)
    np.testing.assert_allclose(totals, statistics["total_ml"], atol=0.04)
    voxels = np.prod(statistics["shape"]) * np.prod(statistics["voxel_mm"]) / 1000
    share = 100 * np.array(statistics["total_ml"]) / voxels
    np.testing.assert_allclose(share, statistics["foreground_percent"], atol=0.001)
