import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ivdlib.data.cases import load_cases
from ivdlib.data.quality.exchange import find_exchange, undo_exchange
from ivdlib.errors import DataError
from ivdlib.phantom import simulate
from ivdlib.phantom.conditions import Conditions

SPACING = (2.0, 2.5, 2.5)
SHAPE = (12, 64, 64)


def torso(seed=0, noise=4.0):
    """A trunk: air, fat beneath the skin, muscle with streaks of fat, a column of bone and discs.

    Borders are partial volumes, as in a scan: the share of fat is smooth over about a voxel.
    """
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    x, y, z = np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij")
    body = (y >= 10) & (y < 58)
    shell = (y < 16) | (y >= 54)
    streaks = gaussian_filter(rng.standard_normal(SHAPE), (1, 2, 6))
    column = (abs(x - 6) < 5) & (abs(y - 34) < 7)
    discs = column & (z % 13 < 5)
    share = np.where(shell | (streaks > 2.2 * streaks.std()), 0.97, 0.04)
    share = np.where(column, np.where(discs, 0.03, 0.45), share)
    share = gaussian_filter(share, 0.6)
    light = np.where(body, 100 * (1 + 0.8 * share), 0)
    inn, signed = light, light * (1 - 2 * share)
    inn, signed = (image + rng.normal(0, noise, SHAPE) for image in (inn, signed))
    inn, opp = np.abs(inn), np.minimum(np.abs(signed), np.abs(inn))
    signed = np.where(signed > 0, opp, -opp)
    images = {"wat": (inn + signed) / 2, "fat": (inn - signed) / 2, "inn": inn, "opp": opp}
    return {name: np.float32(np.rint(image)) for name, image in images.items()}, body, discs


def ball(centre, radius_mm):
    axes = ((np.arange(n) - c) * edge for n, c, edge in zip(SHAPE, centre, SPACING, strict=True))
    return sum(np.square(axis) for axis in np.ix_(*axes)) < radius_mm**2


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("seed", range(3))
def test_a_scan_in_order_is_left_in_peace(seed):
    images, _, discs = torso(seed)
    for known in (None, discs):
        found = find_exchange(images, SPACING, known)
        assert (found.kind, found.share) == ("none", 0)
        assert not found.map.any()
        assert found.evidence["anatomy"] == found.evidence["anatomy_after"] > 0.8


@pytest.mark.parametrize("seed", range(3))
def test_two_files_under_each_other_s_name_are_a_whole_exchange(seed):
    images, body, _ = torso(seed)
    found = find_exchange(undo_exchange(images, np.ones(SHAPE, bool)), SPACING)
    assert (found.kind, found.share) == ("whole", 1)
    assert dice(found.map, body) > 0.9
    assert found.evidence["anatomy"] < -0.8
    assert found.evidence["anatomy_after"] == -found.evidence["anatomy"]


@pytest.mark.parametrize(
    ("centre", "radius"),
    [((6, 34, 30), 25), ((3, 12, 40), 30), ((9, 50, 20), 28), ((6, 34, 50), 50)],
)
def test_a_local_exchange_is_found_where_it_was_planted(centre, radius):
    images, body, _ = torso()
    region = ball(centre, radius)
    found = find_exchange(undo_exchange(images, region), SPACING)
    assert found.kind == "local"
    assert dice(found.map, region & body) > 0.9
    assert found.share == pytest.approx((region & body).sum() / body.sum(), rel=0.15)
    assert found.share == pytest.approx(found.map.sum() / body.sum(), rel=0.05)
    assert found.evidence["border"] > 0.4
    assert found.evidence["places"] > 100
    assert found.evidence["anatomy_after"] > found.evidence["anatomy"]


def test_undoing_what_was_found_leaves_nothing_to_find():
    images, _, _ = torso()
    exchanged = undo_exchange(images, ball((6, 40, 30), 30))
    first = find_exchange(exchanged, SPACING)
    assert first.kind == "local"
    assert find_exchange(undo_exchange(exchanged, first.map), SPACING).kind == "none"


def test_fat_behind_the_back_alone_is_found_by_anatomy():
    """Its border is a natural one throughout, so that no border speaks for it."""
    images, _, _ = torso()
    back = np.zeros(SHAPE, bool)
    back[:, :16] = True
    found = find_exchange(undo_exchange(images, back), SPACING)
    assert found.kind == "local"
    assert found.evidence["border"] < 0.4
    assert found.map[:, 11:15].mean() > 0.95


@given(st.floats(0.05, 20))
@settings(max_examples=10, deadline=None)
def test_the_unit_of_the_images_does_not_matter(factor):
    images, _, _ = torso()
    exchanged = undo_exchange(images, ball((6, 34, 30), 25))
    scaled = {name: image * np.float32(factor) for name, image in exchanged.items()}
    one, other = find_exchange(exchanged, SPACING), find_exchange(scaled, SPACING)
    assert other.kind == one.kind == "local"
    assert dice(one.map, other.map) > 0.99


def test_inn_and_opp_are_not_needed():
    images, _, _ = torso()
    exchanged = undo_exchange(images, ball((6, 34, 30), 25))
    alone = {name: exchanged[name] for name in ("wat", "fat")}
    np.testing.assert_array_equal(
        find_exchange(alone, SPACING).map, find_exchange(exchanged, SPACING).map
    )


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 20, 20), (2, 3, 40), (6, 24, 28)])
def test_noise_and_emptiness_hold_no_exchange(shape):
    rng = np.random.default_rng(0)
    noise = {name: rng.rayleigh(5, shape) for name in ("wat", "fat")}
    empty = {name: np.zeros(shape, np.int16) for name in ("wat", "fat")}
    for images in (noise, empty):
        found = find_exchange(images, (2.0, 1.25, 1.25))
        assert found.kind == "none"
        assert found.map.shape == shape
        assert not found.map.any()
        assert all(np.isfinite(number) for number in found.evidence.values())


def test_a_handful_of_places_is_no_border():
    """Water beside fat of one strength: a choice gone wrong, or just so where a scan is thin."""
    kinds = {}
    for edge in (1, 8):
        fat = np.random.default_rng(0).normal(5, 1, (edge, edge, 40))
        fat[..., 28:] += 145
        images = {"wat": np.random.default_rng(1).normal(155, 1, fat.shape) - fat, "fat": fat}
        kinds[edge] = find_exchange(images, SPACING).kind
    assert kinds == {1: "none", 8: "local"}


def test_phantom():
    scan = simulate(3, slices=12, in_plane=96, conditions=Conditions(swap=0))
    images = {name: image[::-1, ::-1] for name, image in scan.contrasts.items()}  # to RAS
    body, spacing = scan.tissue[::-1, ::-1] > 0, (2.0, 320 / 96, 320 / 96)
    assert find_exchange(images, spacing).kind == "none"
    whole = undo_exchange(images, np.ones(body.shape, bool))
    assert find_exchange(whole, spacing).kind == "whole"
    region = np.zeros(body.shape, bool)
    region[:, 30:60, 20:50] = True
    found = find_exchange(undo_exchange(images, region), spacing)
    assert found.kind == "local"
    assert dice(found.map, region & body) > 0.8


def test_real_crops(shared):
    """No fat beneath a skin, marrow of half fat: nothing may be found, unless it is planted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = load_cases(shared / "data" / "ivdm3seg_crops")
    for case in cases[::3]:
        swapped = undo_exchange(case.contrasts, np.ones(case.shape, bool))
        for discs in (None, case.discs):
            assert find_exchange(case.contrasts, case.spacing, discs).kind == "none", case.name
            assert find_exchange(swapped, case.spacing, discs).kind == "whole", case.name


VOLUMES = arrays(np.int16, (2, 3, 4), elements=st.integers(0, 500))


@given(VOLUMES, VOLUMES, arrays(bool, (2, 3, 4)))
@settings(max_examples=30, deadline=None)
def test_undoing_swaps_within_the_map_and_nowhere_else(wat, fat, where):
    images = {"wat": wat, "fat": fat, "inn": wat + fat}
    done = undo_exchange(images, where)
    assert list(done) == ["wat", "fat", "inn"]
    assert done["inn"] is images["inn"]
    for name, other in (("wat", fat), ("fat", wat)):
        assert done[name].dtype == np.int16
        np.testing.assert_array_equal(done[name][where], other[where])
        np.testing.assert_array_equal(done[name][~where], images[name][~where])
    np.testing.assert_array_equal(undo_exchange(done, where)["wat"], wat)


@pytest.mark.parametrize("lacking", ["wat", "fat"])
def test_without_water_or_fat_nothing_can_be_done(lacking):
    images, body, _ = torso()
    del images[lacking]
    with pytest.raises(DataError, match=f"without {lacking}"):
        find_exchange(images, SPACING)
    with pytest.raises(DataError, match=f"without {lacking}"):
        undo_exchange(images, body)


def test_shapes_that_do_not_fit_are_refused():
    images, body, discs = torso()
    with pytest.raises(DataError, match=r"map of shape \(11, 64, 64\)"):
        undo_exchange(images, body[1:])
    with pytest.raises(DataError, match=r"discs of \(11, 64, 64\)"):
        find_exchange(images, SPACING, discs[1:])
    with pytest.raises(DataError, match="3-D"):
        find_exchange({name: image[0] for name, image in images.items()}, SPACING)
    with pytest.raises(DataError, match="one grid"):
        find_exchange(images | {"fat": images["fat"][1:]}, SPACING)
