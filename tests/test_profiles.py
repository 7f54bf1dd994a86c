"""Profiles: the numbers of the paper, what differs from them, and overrides that are checked."""

import dataclasses
import json

import pytest

from ivdlib import profiles
from ivdlib.errors import ConfigError
from ivdlib.profiles import PROFILES, profile


def test_the_paper_s_numbers():
    paper = profile("paper").training
    assert paper.batch == 16 and paper.learning_rate == 1e-4 and paper.tile == (112, 128)
    assert paper.noise_max_share == 0.15 and paper.schedule == "constant"
    assert profile("paper").folds is None and profile("paper").networks == profiles.NETWORKS


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_valid_and_is_json(name):
    found = profile(name)
    assert found == PROFILES[name] and found.name == name
    values = json.loads(json.dumps(found.to_dict()))
    assert values["training"]["steps"] == found.training.steps
    assert set(profiles.TITLES) == set(profiles.NETWORKS)
    assert f"--profile {name}" in found.note or name == "smoke"


@pytest.mark.parametrize("name", PROFILES)
def test_every_field_can_be_overridden_with_its_own_value(name):
    base = profile(name)
    values = {}
    for key in tuple(profiles.keys()):
        part, _, leaf = key.rpartition(".")
        values[key] = getattr(getattr(base, part) if part else base, leaf)
    assert profile(name, values) == base
    assert profile(name, json.loads(json.dumps(values))) == base
    leaves = {f.name for f in dataclasses.fields(base)} - {"name", "note"}
    assert {key.partition(".")[0] for key in values} == leaves


def test_an_override_changes_that_field_and_no_other():
    base = profile("laptop")
    changed = profile("laptop", {"training.steps": 7, "seeds": 3, "networks": ["unet"]})
    assert changed.training == dataclasses.replace(base.training, steps=7)
    assert changed.networks == ("unet",) and changed.seeds == 3
    assert (
        dataclasses.replace(
            changed, training=base.training, seeds=base.seeds, networks=base.networks
        )
        == base
    )
    assert profile("laptop") == base


def test_a_whole_number_is_a_fine_float_and_folds_may_be_none():
    found = profile("test", {"spine.margin": 10, "training.rotation": 0, "folds": None})
    assert found.spine.margin == 10.0 and type(found.spine.margin) is float
    assert found.folds is None
    assert profile("laptop", {"folds": 3}).folds == 3


def test_an_unknown_profile_names_those_there_are():
    with pytest.raises(ConfigError, match="unknown profile 'papers'; known are test, smoke, lap"):
        profile("papers")


@pytest.mark.parametrize(
    "key",
    [
        "step",
        "training.step",
        "train.steps",
        "name",
        "training",
        "training.steps.x",
        "",
        ".",
        "seeds.x",
        "name.x",
    ],
)
def test_an_unknown_field_is_named(key):
    with pytest.raises(ConfigError, match=r"unknown field .*training\.steps"):
        profile("test", {key: 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seeds", "3"),
        ("seeds", 2.0),
        ("seeds", True),
        ("folds", "4"),
        ("folds", 2.5),
        ("folds", True),
        ("training.steps", None),
        ("training.learning_rate", "fast"),
        ("training.learning_rate", True),
        ("training.loss", 1),
        ("training.tile", 112),
        ("training.tile", ["112", "128"]),
        ("training.tile", [1.5, 2]),
        ("networks", "unet"),
        ("networks", [["unet"]]),
        ("arms", [1]),
        ("score_discs", 1),
    ],
)
def test_a_value_of_the_wrong_type_is_named(key, value):
    with pytest.raises(ConfigError, match=f"^field {key} "):
        profile("test", {key: value})


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("size", "huge", "size of Profile takes one of tiny, laptop, paper, not 'huge'"),
        ("spine.size", "huge", "spine.size of Profile takes one of tiny"),
        (
            "networks",
            ["unet", "vnet"],
            "networks of Profile takes some of fds_cnn, unet, deeplabv3plus, not 'vnet'",
        ),
        ("arms", [], "arms of Profile takes a list of length at least 1, each one of with"),
        ("arms", ["both"], "arms of Profile takes a list .* with, without, .*, not 'both'"),
        ("arms", ["with", "with"], "of Profile takes each once, not"),
        ("networks", ["unet", "unet"], "of Profile takes each once, not"),
        ("seeds", 0, "seeds of Profile takes a whole number, at least 1 and at most 1000, not 0"),
        ("folds", 1, "folds of Profile takes a whole number, at least 2 .*, not 1"),
        ("training.steps", 0, "steps of Profile takes a whole number, at least 1 "),
        ("spine.steps", -1, "steps of Profile takes a whole number, at least 1 "),
        ("training.batch", 0, "batch of Profile takes a whole number, at least 1 "),
        ("spine.batch", 0, "batch of Profile takes a whole number, at least 1 "),
        ("training.learning_rate", 0.0, "learning_rate of Profile takes a number, above 0 "),
        (
            "training.learning_rate",
            float("nan"),
            "learning_rate of Profile takes a number, above 0 ",
        ),
        ("spine.learning_rate", -1.0, "learning_rate of Profile takes a number, above 0 "),
        (
            "training.schedule",
            "linear",
            "training.schedule of Profile takes one of constant, cosine, not 'linear'",
        ),
        (
            "training.loss",
            "hinge",
            "training.loss of Profile takes one of bce_dice, bce, dice, not 'hinge'",
        ),
        (
            "training.tiles",
            "some",
            "training.tiles of Profile takes one of thinned, all, not 'some'",
        ),
        ("training.tile", [112], "tile of Profile takes a list of 2, .*pixels, AP and SI., not"),
        ("training.tile", [0, 128], "tile of Profile takes a list of 2, .*pixels, AP and SI., not"),
        ("training.tile", [], "tile of Profile takes a list of 2, .*pixels, AP and SI., not"),
        (
            "training.rotation",
            -5.0,
            "rotation of Profile takes a number, at least 0 and at most 180 .degrees., not",
        ),
        (
            "training.rotation",
            float("nan"),
            "rotation of Profile takes a number, at least 0 and at most 180 .degrees., not",
        ),
        (
            "training.noise_probability",
            1.5,
            "noise_probability of Profile takes a number, at least 0 and at most 1, not 1.5",
        ),
        (
            "training.noise_max_share",
            -0.1,
            "noise_max_share of Profile takes a number, at least 0 and at most 1, not -0.1",
        ),
        (
            "spine.region",
            "guess",
            "spine.region of Profile takes one of predicted, true, none, not 'guess'",
        ),
        (
            "spine.factor",
            0,
            "spine.factor of Profile takes a whole number, at least 1 and at most 8, not",
        ),
        (
            "spine.factor",
            9,
            "spine.factor of Profile takes a whole number, at least 1 and at most 8, not",
        ),
        (
            "training.tile",
            [15, 128],
            "tile of Profile takes a list of 2, .* at least 16 .*pixels, AP and SI., not 15",
        ),
        ("stress", ["noisy", "noisy"], "stress of Profile takes each once, not noisy, noisy"),
        (
            "spine.margin",
            -1.0,
            "spine.margin of Profile takes a number, at least 0 and at most 1000 .mm., not -1.0",
        ),
        (
            "spine.gap",
            1e9,
            "spine.gap of Profile takes a number, at least 0 and at most 1000 .mm., not 1000000",
        ),
    ],
)
def test_a_value_out_of_range_is_named(key, value, words):
    with pytest.raises(ConfigError, match=f"^field .*{words}"):
        profile("test", {key: value})


@pytest.mark.parametrize("region", ["none", "true"])
def test_without_networks_there_is_a_spine_network(region):
    assert profile("laptop", {"networks": []}).networks == ()
    with pytest.raises(ConfigError, match="without networks there is only a spine network"):
        profile("laptop", {"networks": [], "spine.region": region})


def test_a_rate_that_is_asked_for_holds_for_every_network():
    """A profile's rates of single networks would win without a word."""
    smoke = PROFILES["smoke"].training
    assert smoke.unet_rate and smoke.deeplabv3plus_rate
    asked = profile("smoke", {"training.learning_rate": 0.5}).training
    assert (asked.unet_rate, asked.deeplabv3plus_rate, asked.learning_rate) == (None, None, 0.5)
    both = profile("smoke", {"training.unet_rate": 0.25, "training.learning_rate": 0.5}).training
    assert (both.unet_rate, both.deeplabv3plus_rate) == (0.25, None)
    assert profile("smoke", {"training.steps": 5}).training.unet_rate == smoke.unet_rate
