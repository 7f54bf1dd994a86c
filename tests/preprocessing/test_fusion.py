"""Fusion by addition and min–max (paper, Sect. 2.3 and 3.1)."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tiny_network import volume

from ivdlib.data.contrasts import FUSED, is_derived
from ivdlib.errors import DataError
from ivdlib.evaluation import tables
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.fusion import fuse, images_of, min_max

QUICK = settings(max_examples=30, deadline=None)
WHOLE = arrays(np.int16, (2, 3, 4), elements=st.integers(0, 2000))
VARIED = WHOLE.filter(lambda a: a.min() < a.max())


def ideal(water, fat):
    """Contrasts of the ideal two-point Dixon signal."""
    return {"wat": water, "fat": fat, "inn": water + fat, "opp": np.abs(water - fat)}


@pytest.fixture
def contrasts():
    rng = np.random.default_rng(0)
    water, fat = rng.integers(0, 300, (2, 3, 5, 4))
    return ideal(water, fat)


def test_the_pairs_and_their_order_are_those_of_table_2():
    assert FUSED == ("wat+opp", "fat+opp", "wat+inn", "inn+opp")


def test_a_fused_contrast_is_the_normalised_sum(contrasts):
    fused = fusion.fuse(contrasts)
    assert tuple(fused) == FUSED
    for pair, image in fused.items():
        a, b = pair.split("+")
        total = contrasts[a].astype(np.float64) + contrasts[b]
        expected = (total - total.min()) / (total.max() - total.min())
        np.testing.assert_allclose(image, expected, atol=1e-6)
        assert image.dtype == np.float32 and image.min() == 0 and image.max() == 1


def test_only_the_pairs_asked_for(contrasts):
    assert list(fusion.fuse(contrasts, ["inn+opp"])) == ["inn+opp"]
    assert fusion.fuse(contrasts, []) == {}


def test_each_image_can_be_normalised_before_the_sum():
    dim, bright = np.array([[[0.0, 1.0, 0.0]]]), np.array([[[0.0, 0.0, 1000.0]]])
    images = {"wat": dim, "opp": bright}
    late = fusion.fuse(images, ["wat+opp"])["wat+opp"]
    early = fusion.fuse(images, ["wat+opp"], normalise_first=True)["wat+opp"]
    np.testing.assert_allclose(late, [[[0, 0.001, 1]]], atol=1e-6)
    np.testing.assert_allclose(early, [[[0, 1, 1]]], atol=1e-6)


def test_the_sum_of_integer_images_does_not_overflow():
    top = np.array([[[0, 32_000, 30_000]]], dtype=np.int16)
    fused = fusion.fuse({"wat": top, "inn": top}, ["wat+inn"])["wat+inn"]
    np.testing.assert_allclose(fused, [[[0, 1, 30 / 32]]], atol=1e-6)


@QUICK
@given(VARIED)
def test_min_max_reaches_0_and_1_and_keeps_the_order(image):
    scaled = fusion.min_max(image)
    assert scaled.dtype == np.float32 and scaled.min() == 0 and scaled.max() == 1
    order = np.argsort(image, axis=None, kind="stable")
    assert (np.diff(scaled.ravel()[order]) >= 0).all()
    np.testing.assert_allclose(fusion.min_max(scaled), scaled, atol=1e-6)


@QUICK
@given(VARIED, st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_min_max_does_not_see_scale_and_offset(image, scale, offset):
    moved = image.astype(np.float64) * scale + offset
    # float32 holds an offset of 1000 to 6e-5, which counts against the range of the image
    room = 1e-4 * (1 + abs(offset) / (scale * np.ptp(image)))
    np.testing.assert_allclose(fusion.min_max(moved), fusion.min_max(image), atol=room)


@QUICK
@given(VARIED, VARIED, st.integers(1, 50))
def test_fusion_does_not_see_the_gain_of_the_scanner(water, fat, gain):
    images = ideal(water.astype(np.int64), fat.astype(np.int64))
    louder = {name: image * gain for name, image in images.items()}
    pairs = [p for p in FUSED if np.ptp(sum(images[n] for n in p.split("+"))) > 0]
    for pair, image in fusion.fuse(images, pairs).items():
        np.testing.assert_allclose(fusion.fuse(louder, [pair])[pair], image, atol=1e-5)


@QUICK
@given(VARIED, VARIED)
def test_what_addition_means_for_ideal_dixon_images(water, fat):
    """Sums of the ideal contrasts: 2 max(W, F), max(W, 2W − F), max(F, 2F − W), 2W + F."""
    water, fat = water.astype(np.int64), fat.astype(np.int64)
    sums = {
        "inn+opp": 2 * np.maximum(water, fat),
        "wat+opp": np.where(water > fat, 2 * water - fat, fat),
        "fat+opp": np.where(fat > water, 2 * fat - water, water),
        "wat+inn": 2 * water + fat,
    }
    for pair, total in sums.items():
        if np.ptp(total):
            fused = fusion.fuse(ideal(water, fat), [pair])[pair]
            np.testing.assert_allclose(fused, fusion.min_max(total), atol=1e-6)


def test_a_case_gives_its_contrasts(contrasts):
    case = SimpleNamespace(contrasts=contrasts)
    for ours, theirs in ((fusion.fuse(case), fusion.fuse(contrasts)),
                         (fusion.single(case), fusion.single(contrasts))):  # fmt: skip
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_the_input_stays_as_it_was(contrasts):
    before = {name: image.copy() for name, image in contrasts.items()}
    fusion.fuse(contrasts, normalise_first=True)
    fusion.single(contrasts)
    assert all(np.array_equal(before[name], contrasts[name]) for name in before)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_refused(contrasts, value):
    broken = contrasts["opp"].astype(np.float32)
    broken[0, 0, 0] = value
    with pytest.raises(DataError, match="NaN or infinite"):
        fusion.min_max(broken)
    with pytest.raises(DataError, match="NaN or infinite"):
        fusion.fuse({**contrasts, "opp": broken}, ["wat+opp"])


def test_an_image_without_voxels_is_refused():
    with pytest.raises(DataError, match=r"of shape \(0, 4\) holds no voxel"):
        fusion.min_max(np.empty((0, 4)))


def test_a_constant_image_is_refused(contrasts):
    with pytest.raises(DataError, match="constant .7 everywhere."):
        fusion.min_max(np.full((2, 2, 2), 7))
    with pytest.raises(DataError, match="constant"):
        fusion.fuse({"wat": 5 - contrasts["wat"], "opp": contrasts["wat"]}, ["wat+opp"])


def test_a_missing_contrast_is_named(contrasts):
    del contrasts["opp"]
    with pytest.raises(DataError, match=r"opp is missing .* wat\+opp; there are wat, fat, inn"):
        fusion.fuse(contrasts)


def test_images_of_other_shape_are_not_broadcast(contrasts):
    contrasts["opp"] = contrasts["opp"][:1]
    with pytest.raises(DataError, match=r"wat\+opp differ in shape .*3, 5, 4.*1, 5, 4"):
        fusion.fuse(contrasts)


def test_the_fused_contrasts_that_the_data_allow():
    assert fusion.fused_names(["inn", "opp", "fat", "wat"]) == FUSED
    assert fusion.fused_names(["wat", "inn", "fat"]) == ("wat+inn",)
    assert fusion.fused_names(["t2"]) == ()


def test_a_fused_contrast_of_a_derived_one_is_derived():
    assert is_derived("wat", {"wat"}) and is_derived("wat+inn", {"wat"})
    assert not is_derived("inn", {"wat"}) and not is_derived("inn+opp", {"wat"})
    assert not is_derived("wat+inn", ())


def test_weights_stand_before_the_names(contrasts):
    (found,) = fusion.fuse(contrasts, ["0.25*wat+0.75*opp"]).values()
    total = 0.25 * np.float64(contrasts["wat"]) + 0.75 * np.float64(contrasts["opp"])
    expected = (total - total.min()) / (total.max() - total.min())
    np.testing.assert_allclose(found, expected, atol=1e-5)
    plain = fusion.fuse(contrasts, ["wat+opp"])["wat+opp"]
    np.testing.assert_allclose(
        fusion.fuse(contrasts, ["0.5*wat+0.5*opp"]).popitem()[1], plain, atol=1e-5
    )


def test_random_pairs_are_mixtures_of_two(contrasts):
    pairs = fusion.random_pairs(contrasts, (0, 7))
    assert pairs == fusion.random_pairs(reversed(list(contrasts)), (0, 7)) and len(pairs) == 4
    assert pairs != fusion.random_pairs(contrasts, (1, 7))
    for pair in pairs:
        parts = [part.split("*") for part in pair.split("+")]
        assert sum(float(weight) for weight, _ in parts) == pytest.approx(1, abs=1e-3)
        assert len({name for _, name in parts} & set(contrasts)) == 2
    assert set(fusion.fuse(contrasts, pairs)) == set(pairs)


@given(st.integers(0, 2**32 - 1))
def test_ideal_images_fuse_to_the_water_image_where_there_is_more_water(seed):
    rng = np.random.default_rng(seed)
    wat, fat = rng.uniform(0, 100, (2, 4, 5, 6))
    ideal = {"wat": wat, "fat": fat, "inn": wat + fat, "opp": np.abs(wat - fat)}
    for pair, slope in (("fat+opp", 1.0), ("inn+opp", 2.0)):
        found = tables.like_water(ideal, pair, np.ones(wat.shape, bool))
        assert found["more_water"] == (wat > fat).mean()
        assert found["slope"] == pytest.approx(slope)
        assert found["correlation"] == pytest.approx(1.0)
        assert found["deviation"] == pytest.approx(0.0, abs=1e-9)
    other = tables.like_water(ideal, "wat+inn", np.ones(wat.shape, bool))
    assert other["deviation"] > 0.01  # 2 wat + fat is a picture of its own


def test_like_water_by_hand_and_where_nothing_can_be_said():
    scan = {"wat": np.array([2.0, 4.0, 1.0]), "fat": np.array([1.0, 1.0, 9.0]),
            "opp": np.array([3.0, 1.0, 5.0])}  # fmt: skip
    found = tables.like_water(scan, "fat+opp", np.ones(3, bool))
    slope = (4 * 2 + 2 * 4) / (4 + 16)  # sums 4 and 2 where the water is 2 and 4
    assert found["more_water"] == pytest.approx(2 / 3) and found["slope"] == pytest.approx(slope)
    assert found["correlation"] == pytest.approx(-1.0)
    assert found["deviation"] == pytest.approx((abs(4 - 2 * slope) + abs(2 - 4 * slope)) / 2 / 3)
    nothing = tables.like_water(scan, "fat+opp", np.array([False, False, True]))
    assert nothing["more_water"] == 0 and np.isnan(nothing["slope"])
    assert np.isnan(tables.like_water(scan, "fat+opp", np.zeros(3, bool))["more_water"])
    with pytest.raises(DataError, match="inn is missing"):
        tables.like_water(scan, "inn+opp", np.ones(3, bool))


@pytest.mark.parametrize("name", ["opp", "wat+opp", "wat&opp", "0.3*wat+0.7*opp", "opp&fat+inn"])
def test_an_image_rests_on_what_it_is_made_of(name):
    assert is_derived(name, {"opp"}) and not is_derived(name, {"x", "op"})


def test_images_of_a_scan_are_single_and_fused():
    contrasts = {name: volume((2, 3, 4), k) * 100 for k, name in enumerate(("wat", "inn", "opp"))}
    images = images_of(contrasts, ("wat", "inn", "wat+opp"))
    assert set(images) == {"wat", "inn", "wat+opp"}
    np.testing.assert_array_equal(images["wat"], min_max(contrasts["wat"]))
    np.testing.assert_array_equal(images["wat+opp"], fuse(contrasts, ["wat+opp"])["wat+opp"])


def test_stacked_images_and_neighbouring_slices_are_channels():
    rng = np.random.default_rng(0)
    scan = {name: rng.random((3, 8, 9), np.float32) for name in ("wat", "opp")}
    plain = images_of(scan, ("wat", "opp", "wat+opp"))
    assert all(image.shape == (3, 8, 9) for image in plain.values())
    stacked = images_of(scan, ("wat&wat+opp",), neighbours=1)["wat&wat+opp"]
    assert stacked.shape == (3, 8, 9, 6) and stacked.dtype == np.float32
    for number in range(3):
        for channel, (name, shift) in enumerate(
            (name, shift) for name in ("wat", "wat+opp") for shift in (-1, 0, 1)
        ):
            other = min(max(number + shift, 0), 2)
            np.testing.assert_array_equal(stacked[number, ..., channel], plain[name][other])
