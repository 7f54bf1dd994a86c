"""Where the simulated reconstruction takes water for fat."""

import numpy as np
import pytest
from scipy import ndimage

from ivdlib.phantom.exchange_region import ExchangeRegion

CENTRE, HALF = (0.0, 25.0, 5.0), (36.0, 95.0, 160.0)


def rng(seed=0):
    return np.random.default_rng(seed)


def grid(step=8.0):
    axes = [np.arange(c - h, c + h + 1, step) for c, h in zip(CENTRE, HALF, strict=True)]
    return np.float32(np.meshgrid(*axes, indexing="ij"))


def regions(count, swap=0.8):
    return [ExchangeRegion(rng(seed), swap, CENTRE, HALF) for seed in range(count)]


def test_local_regions_cover_some_of_the_body_and_hang_together():
    points, covered, joined = grid(), [], []
    for region in regions(50):
        wrong = region.level(*points) > 0
        assert wrong.dtype == bool
        if region.kind == "local":
            parts, _ = ndimage.label(wrong, np.ones((3, 3, 3)))
            covered.append(wrong.mean())
            joined.append(np.bincount(parts.ravel())[1:].max() / wrong.sum())
        else:
            assert wrong.all() == (region.kind == "whole")
            assert wrong.any() == (region.kind == "whole")
    assert len(covered) > 30
    assert 0.02 < min(covered) < 0.08
    assert 0.20 < max(covered) < 0.35
    assert np.median(covered) == pytest.approx(0.11, abs=0.04)
    assert np.mean(np.array(joined) > 0.95) > 0.9
    assert min(joined) > 0.5


def test_a_slice_alone_is_wrong_where_the_volume_is():
    points = grid()
    region = next(region for region in regions(9) if region.kind == "local")
    volume = region.level(*points) > 0
    assert 0 < volume.sum() < volume.size
    for index in range(volume.shape[0]):
        np.testing.assert_array_equal(region.level(*points[:, index]) > 0, volume[index])
    again = next(region for region in regions(9) if region.kind == "local")
    np.testing.assert_array_equal(again.level(*points) > 0, volume)


def test_the_edge_of_a_region_is_smooth():
    region = next(region for region in regions(9) if region.kind == "local")
    fine = grid(2.0)[:, 18]
    slope = np.hypot(*np.gradient(region.level(*fine), 2.0))
    assert slope.max() < 0.1, "per mm: no jump"


def test_kinds_are_as_frequent_as_asked():
    kinds = [region.kind for region in regions(400, swap=0.3)]
    assert kinds.count("local") / 400 == pytest.approx(0.3, abs=0.06)
    assert kinds.count("whole") / 400 == pytest.approx(0.06, abs=0.03)
    assert {region.kind for region in regions(50, swap=0.0)} == {"none"}
    assert {region.kind for region in regions(50, swap=1.0)} == {"local", "whole"}


def test_a_region_draws_the_same_numbers_whatever_the_probability():
    after = []
    for swap in (0.0, 0.2, 1.0):
        random = rng(11)
        ExchangeRegion(random, swap, CENTRE, HALF)
        after.append(random.random())
    assert len(set(after)) == 1
