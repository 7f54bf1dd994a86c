import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ivdlib.data import contrasts, dixon
from ivdlib.errors import DataError

VOLUMES = arrays(np.float32, (2, 3, 4), elements=st.integers(0, 500).map(float))


def four(wat, fat):
    return {"wat": wat, "fat": fat, "inn": wat + fat, "opp": np.abs(wat - fat)}


def tissue(seed=0):
    """Water and fat that share voxels unequally, as tissue does."""
    rng = np.random.default_rng(seed)
    fraction = rng.choice([0.05, 0.3, 0.45, 0.9], (6, 8, 8), p=[0.3, 0.3, 0.2, 0.2])
    total = rng.integers(50, 300, (6, 8, 8))
    return four(*((total * f).astype(np.float32) for f in (1 - fraction, fraction)))


@given(VOLUMES, VOLUMES)
@settings(max_examples=30, deadline=None)
def test_each_derived_contrast_is_the_true_one(wat, fat):
    true = four(wat, fat)
    for name in dixon.FORMULAS:
        rest = {key: image for key, image in true.items() if key != name}
        np.testing.assert_array_equal(dixon.derive(name, rest), true[name])


@given(VOLUMES, VOLUMES)
@settings(max_examples=30, deadline=None)
def test_identities_hold_for_consistent_contrasts_and_survive_an_exchange(wat, fat):
    numbers = dixon.consistency(four(wat + 1, fat))
    assert numbers["inn_error"] == 0
    exchanged = four(wat + 1, fat) | {"wat": fat, "fat": wat + 1}
    assert dixon.consistency(exchanged)["inn_error"] == 0


def test_derived_water_is_never_negative_and_float32():
    images = {"inn": np.array([5, 9], np.uint8), "fat": np.array([7, 2], np.uint8)}
    wat = dixon.derive("wat", images)
    assert wat.dtype == np.float32
    assert wat.tolist() == [0, 7]


@pytest.mark.parametrize(
    ("name", "there"),
    [("wat", ("fat", "opp")), ("fat", ("wat", "opp")), ("inn", ("wat", "opp")), ("inn", ("opp",))],
)
def test_a_pair_with_opp_is_refused(name, there):
    with pytest.raises(DataError, match="cannot be derived without"):
        dixon.derive(name, {key: tissue()[key] for key in there})


def test_only_dixon_contrasts_can_be_derived():
    with pytest.raises(DataError, match="t2.*cannot be derived"):
        dixon.derive("t2", tissue())


@given(st.sets(st.sampled_from([*contrasts.CONTRASTS, "t2"])))
def test_all_is_derived_that_two_of_three_determine_and_nothing_from_opp(there):
    """Any two of wat, fat and inn give the rest; fewer give nothing, opp or not."""
    missing = [name for name in contrasts.CONTRASTS if name not in there]
    order = dixon.derivable(there, missing)
    enough = len(there & {"wat", "fat", "inn"}) >= 2
    assert sorted(order) == (sorted(missing) if enough else [])
    images = {name: image for name, image in tissue().items() if name in there}
    for name in order:
        images[name] = dixon.derive(name, images)
        np.testing.assert_allclose(images[name], tissue()[name], rtol=1e-4)


@given(VOLUMES, VOLUMES, st.sampled_from(contrasts.CONTRASTS))
@settings(max_examples=30, deadline=None)
def test_what_was_derived_is_consistent(wat, fat, lost):
    true = four(wat + 1, fat)
    del true[lost]
    true[lost] = dixon.derive(lost, true)
    numbers = dixon.consistency(true)
    assert numbers["inn_error"] == 0
    assert numbers["opp_error"] in (0, np.inf)  # of an image that is 0 everywhere


@given(*[VOLUMES] * 3, st.sampled_from(["wat", "fat", "inn"]))
@settings(max_examples=30, deadline=None)
def test_a_derived_contrast_fulfils_its_identity_up_to_what_was_cut_at_zero(a, b, opp, lost):
    """On images that obey nothing: no derived value is negative, and inn is never undershot."""
    there = [name for name in ("wat", "fat", "inn") if name != lost]
    images = dict(zip(there, (a, b), strict=True))
    images[lost] = dixon.derive(lost, images)
    assert images[lost].min() >= 0
    gap = images["wat"] + images["fat"] - images["inn"]
    assert gap.min() >= 0
    if lost == "inn":
        assert gap.max() == 0
    else:
        assert not gap[images[lost] > 0].any()


def test_consistency_measures_a_known_error():
    true = tissue()
    numbers = dixon.consistency(true | {"inn": true["inn"] * 2})
    assert numbers["inn_error"] == pytest.approx(0.5)
    assert numbers["inn_correlation"] == pytest.approx(1)
    assert numbers["opp_error"] == 0


def test_consistency_leaves_out_what_cannot_be_measured():
    true = tissue()
    assert dixon.consistency({"wat": true["wat"], "inn": true["inn"]}) == {}
    assert set(dixon.consistency({k: true[k] for k in ("wat", "fat", "opp")})) == {
        "opp_error",
        "opp_correlation",
    }


def test_consistency_of_noise_is_poor():
    rng = np.random.default_rng(3)
    noise = {name: rng.random((5, 5, 5)) for name in contrasts.CONTRASTS}
    numbers = dixon.consistency(noise)
    assert numbers["opp_error"] > 0.3
    assert abs(numbers["opp_correlation"]) < 0.5


@pytest.mark.parametrize("order", [*itertools.permutations(contrasts.CONTRASTS)])
def test_the_identities_tell_the_names_up_to_water_and_fat(order):
    true = tissue()
    named = dict(zip(contrasts.CONTRASTS, (true[name] for name in order), strict=True))
    shown = dict(zip(contrasts.CONTRASTS, order, strict=True))
    exchanged = {"wat": "fat", "fat": "wat"}
    right = (shown["inn"], shown["opp"]) == ("inn", "opp")
    assert (dixon.broken(dixon.consistency(named)) == []) == right
    both = (shown, {name: exchanged.get(word, word) for name, word in shown.items()})
    assert dixon.find_names(named) in both


@pytest.mark.parametrize("name", contrasts.CONTRASTS)
def test_another_scale_is_no_other_name(name):
    true = tissue()
    for factor in (0.2, 0.5, 2, 5):
        assert dixon.find_names(true | {name: true[name] * np.float32(factor)}) is None


def test_no_names_are_made_up():
    true = tissue()
    for lacking in ("wat", "fat", "inn"):
        there = {name: image for name, image in true.items() if name != lacking}
        assert dixon.find_names(there) is None
    rng = np.random.default_rng(1)
    assert dixon.find_names({name: rng.random((5, 5, 5)) for name in contrasts.CONTRASTS}) is None
    assert dixon.broken({"inn_error": 0.2, "opp_correlation": 0.1}) == []


def test_copies_are_found_in_the_order_of_the_contrasts():
    true = tissue()
    assert dixon.find_copies(true) == []
    assert dixon.find_copies({"inn": true["inn"], "wat": true["inn"]}) == [("wat", "inn")]
    almost = true["inn"].copy()
    almost[0, 0, 0] += 1
    assert dixon.find_copies(true | {"wat": almost}) == []
    assert dixon.find_copies({"a": true["inn"], "b": true["inn"][:1]}) == []


@pytest.mark.parametrize(
    ("wrong", "right"),
    [p for p in itertools.permutations(contrasts.CONTRASTS, 2) if set(p) != {"wat", "fat"}],
)
@pytest.mark.parametrize("seed", range(3))
def test_physics_tells_which_one_is_the_copy(wrong, right, seed):
    true = tissue(seed)
    broken = true | {wrong: true[right]}
    (pair,) = dixon.find_copies(broken)
    assert dixon.which_is_the_copy(*pair, broken) == wrong
    assert dixon.which_is_the_copy(*reversed(pair), broken) == wrong


@pytest.mark.parametrize(
    ("wrong", "right", "lacking"),
    [
        ("wat", "fat", None),  # both readings give the same |wat - fat|
        ("wat", "opp", "inn"),
        ("opp", "inn", "wat"),
        ("wat", "inn", "opp"),
        ("wat", "inn", "fat"),
    ],
)
def test_a_pair_that_cannot_be_told_apart_is_refused(wrong, right, lacking):
    true = tissue()
    broken = true | {wrong: true[right]}
    broken.pop(lacking, None)
    with pytest.raises(DataError, match="same voxel for voxel"):
        dixon.which_is_the_copy(wrong, right, broken)
