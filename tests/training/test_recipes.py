"""Recipes hold what they say."""

import dataclasses

import pytest
from told import CROP, WHOLE, chosen

from ivdlib.profiles import PROFILES, profile
from ivdlib.training import recipes, recording


def test_a_recipe_is_never_less_than_it_says():
    """Whole slices need 800 steps of the spine network; what was asked for by hand is told."""
    for name in PROFILES:
        found = profile(name, recipes.recipe("better", name))
        assert found.spine.steps == max(800, PROFILES[name].spine.steps)
        assert recipes.short_of("better", found) == []
        assert found.spine.factor == 1 and recipes.recipe("paper", name) == {}
    low = profile("smoke", {**recipes.recipe("better", "smoke"), "spine.steps": 80})
    (sentence,) = recipes.short_of("better", low)
    assert sentence.startswith("spine.steps is 80, less than the 800")
    other = dataclasses.replace(low, spine=dataclasses.replace(low.spine, factor=2))
    assert recipes.short_of("better", other) == []  # no longer what needs them


def test_the_recipe_better_is_told_as_it_is(make):
    told = chosen(make(**{k.replace(".", "__"): v for k, v in recipes.recipe("better").items()}))
    assert told["spine, input"].startswith("slices as they are; mean")
    assert told["spine, parts of the mask"].endswith("and others up to 5 mm away")
    assert told["one network or four"] == "one for all contrasts, 3 channels"
    assert chosen(make())["spine, parts of the mask"] == "the largest connected part"


@pytest.mark.parametrize(("steps", "shape"), [(80, WHOLE), (800, WHOLE), (80, CROP)])
def test_a_record_says_what_is_short_of_its_recipe(make, steps, shape):
    """As the terminal does; not where no spine network is trained, nor without the recipe."""
    better = {k.replace(".", "__"): v for k, v in recipes.recipe("better", "laptop").items()}
    made = make(shape, **{**better, "spine__steps": steps})
    told = recipes.short_of("better", made.profile) if shape == WHOLE else []
    assert recording.begun(made)["short_of"] == told
    assert bool(told) == (steps == 80 and shape == WHOLE)
    assert recording.begun(make(shape, spine__steps=steps))["short_of"] == []
