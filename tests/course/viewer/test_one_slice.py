"""In one slice the shipped networks answer as `predict` does."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from ivdlib.course.viewer import one_slice
from ivdlib.course.viewer.one_slice import NETWORKS, SliceBench, network_for_slices
from ivdlib.errors import DataWarning
from ivdlib.training import engines, one_scan, shipped, spine_of_scan


def coarse(scan):
    """The same on pixels twice as large, which are brought to those that the networks know."""
    affine = scan.affine.copy()
    affine[:3, 1:3] *= 2
    fewer = {name: image[:, ::2, ::2] for name, image in scan.contrasts.items()}
    return replace(scan, contrasts=fewer, affine=affine, labels=scan.labels[:, ::2, ::2])


@pytest.mark.slow
@pytest.mark.parametrize("formula", ["wat+opp", "1*wat+1*opp", "0.3*fat+1.5*inn"])
@pytest.mark.parametrize("of", [lambda scan: scan, coarse], ids=["fine", "coarse"])
def test_a_slice_is_as_predict_has_it(scan, of, formula):
    case, path = of(scan), shipped.find("no_skips")
    network = engines.load_network(path, "openvino")
    spine, _ = spine_of_scan.spine_beside(network, path, engine="openvino")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # of the mixture, and of large pixels
        whole = one_scan.segment_case(network, case, spine=spine, contrast=formula, specks=0)
        bench = SliceBench(case)
    image = bench.mixed(formula)
    for k in range(2):
        found = bench.probability(network_for_slices("no_skips"), image, k)
        assert np.abs(found - whole.probability[k]).max() < 1e-6
        assert whole.mask[k].any()


def test_one_region_fits_all_networks():
    alike = ("tile", "images", "spacing", "spine", "margin", "mask", "gap", "tolerance")
    cards = [network_for_slices(name).passport for name in NETWORKS]
    assert {name for name in NETWORKS} == set(shipped.names())
    for key in alike:
        assert [card.get(key) for card in cards] == [cards[0].get(key)] * len(cards), key


def test_noise_is_in_each_contrast_and_always_the_same(scan):
    bench = SliceBench(scan)
    clean, noisy = (bench.mixed("1*wat", noise) for noise in (0, 0.1))
    air = clean < 0.02
    assert 0.5 * 0.1 < noisy[air].std() < 0.1  # Rayleigh: 0.66 of that of a channel
    assert np.array_equal(noisy, bench.mixed("1*wat", 0.1))
    other = one_slice._noisy(scan.contrasts["wat"], 0.1, 1)
    assert not np.array_equal(other, one_slice._noisy(scan.contrasts["wat"], 0.1, 0))


def test_water_and_fat_change_places(scan):
    bench = SliceBench(scan)
    for noise in (0, 0.1):
        exchanged = bench.mixed("1*wat+1*opp", noise, True)
        assert np.array_equal(exchanged, bench.mixed("1*fat+1*opp", noise))
    assert np.array_equal(bench.mixed("1*inn", 0, True), bench.mixed("1*inn"))
