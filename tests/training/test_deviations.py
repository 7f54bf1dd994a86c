"""Deviations from the paper are told with their reasons."""

import dataclasses

import numpy as np
import pytest
from told import CROP, differing

from ivdlib.profiles import PROFILES, keys
from ivdlib.training import deviations, recipes


@pytest.mark.parametrize("name", PROFILES)
def test_reasons_of_the_profiles_point_the_right_way(make, name):
    words = {"smaller": -1, "fewer": -1, "higher": 1}
    for row in deviations.deviations(make(profile=name, phantom=True)):
        for word, sign in words.items():
            if word in row["why"].split() and row["field"] not in {"size", "data", "folds"}:
                ours, paper = float(row["ours"]), float(row["paper"])
                assert np.sign(ours - paper) == sign, row


def test_a_reason_is_that_of_the_profile_only_for_its_own_value(make):
    why = {k: row["why"] for k, row in differing(make(spine__steps=2000, size="laptop")).items()}
    assert why["spine.steps"] == why["size"] == "set for this experiment"  # not "fewer", "smaller"
    assert why["training.steps"].endswith("fits the time of the profile")
    better = {k.replace(".", "__"): v for k, v in recipes.recipe("better", "laptop").items()}
    why = {k: row["why"] for k, row in differing(make(**better)).items()}
    assert why["training.neighbours"] == "the recipe better sets it"
    assert why["spine.steps"] == "the recipe better needs as many"


def test_the_paper_deviates_in_nothing_from_itself(make):
    assert deviations.deviations(make(profile="paper", challenge=True)) == []
    assert deviations.deviations(make(profile="paper", challenge=True, seeds=1)) == []


@pytest.mark.parametrize(
    "other",
    [
        {"challenge": False},
        {"shape": CROP},  # crops of those scans
        {"contrasts": ("wat", "fat")},
        {"contrasts": ("t2",)},
    ],
)
def test_other_scans_than_the_papers_are_a_deviation(make, tmp_path, other):
    made = make(**{"profile": "paper", "challenge": True} | other)
    row = differing(made)["data"]
    assert row["paper"] == "IVDM3Seg, 16 scans of 8 subjects"
    assert row["ours"].startswith(f"{tmp_path.name}, {len(made.cases)} scans of 8 people; contr")
    assert row["ours"].endswith(", ".join(made.contrasts))
    assert row["why"] == "these scans were given (--data)"


def test_contrasts_that_were_computed_are_told(make):
    made = make(profile="paper", challenge=True)
    first = next(iter(made.cases.values()))
    made.cases[first.name] = dataclasses.replace(first, derived=frozenset({"fat", "wat"}))
    assert differing(made)["data"]["ours"].endswith("; computed from others: fat, wat")


def test_deviations_say_what_and_why(make):
    rows = differing(make(training__batch=4))
    assert rows["size"]["ours"] == "tiny" and rows["size"]["paper"] == "paper"
    assert rows["training.batch"]["ours"] == "4" and rows["training.batch"]["paper"] == "16"
    assert rows["training.steps"]["paper"] == "20000" and "seeds" not in rows
    assert not [field for field in rows if field.startswith("phantom")]
    drawn = differing(make(profile="smoke", phantom=True))
    assert drawn["data"]["ours"].startswith("phantom, 8 scans of 8 people")
    assert drawn["phantom.subjects"]["ours"] == "4"


def test_every_reason_belongs_to_a_field():
    assert set(deviations.REASONS) <= set(keys())
