"""The audit: verdicts by the stated rule, on made-up scores whose answer is known."""

import json

from made_up_scores import CLEAR, scores

from ivdlib import profiles
from ivdlib.evaluation import verdicts


def test_an_unfinished_experiment_is_judged_by_the_patients_of_both_sides():
    metrics = scores(CLEAR)
    half = metrics[(metrics["network"] != "unet") | metrics["subject"].isin(list("abcd"))]
    found = verdicts.judge({"half": half}).set_index("key")
    assert found.loc["networks", "patients"] == 4
    none = metrics[(metrics["network"] == "unet") == metrics["subject"].isin(list("abc"))]
    assert verdicts.judge({"none": none}).set_index("key").loc["networks", "patients"] == 0


FOLDS = [{"number": 1, "train": ["b"], "test": ["a"]}, {"number": 2, "train": ["a"], "test": ["b"]}]


def test_a_record_from_before_a_field_was_added_is_alike():
    old, new = (json.loads(json.dumps(profiles.profile("laptop").to_dict())) for _ in range(2))
    del old["spine"]["gap"], old["training"]["average"]
    records = [{"config": {"data": "d", "folds": [], "profile": p}} for p in (old, new)]
    assert verdicts.likeness(records[0]) == verdicts.likeness(records[1])
    new["spine"]["gap"] = 5.0
    assert verdicts.likeness(records[0]) != verdicts.likeness(records[1])
    assert verdicts.likeness(records[0], "spine") == verdicts.likeness(records[1], "spine")


def test_likeness_hangs_on_values_alone():
    profile = json.loads(json.dumps(profiles.profile("laptop", {"spine.gap": 5.0}).to_dict()))
    one = {"config": {"data": "d", "folds": FOLDS, "profile": profile}}
    other = json.loads(json.dumps(one))
    other["config"]["profile"]["spine"] |= {"gap": 5, "margin": 15}  # as a tool may write 5.0
    other["config"]["folds"] = [
        {key: fold[key] for key in sorted(fold, reverse=True)} for fold in FOLDS[::-1]
    ]
    assert verdicts.likeness(one) == verdicts.likeness(other)
    assert hash(verdicts.likeness(one)) == hash(verdicts.likeness(other))
    other["config"]["folds"][0] = {"number": 2, "train": ["b"], "test": ["b"]}
    assert verdicts.likeness(one) != verdicts.likeness(other)
    assert verdicts.likeness(one, "folds") == verdicts.likeness(other, "folds")
    for key, value in (("spine", {"mask": False}), ("training", {"placement": "clipped"})):
        other = json.loads(json.dumps(one))
        other["config"]["profile"][key] |= value
        assert verdicts.likeness(one) != verdicts.likeness(other)


def test_a_record_without_placement_is_like_one_that_names_what_was_done_then():
    profile = json.loads(json.dumps(profiles.profile("laptop").to_dict()))
    even = {"config": {"data": "d", "folds": FOLDS, "profile": profile}}
    old, named = json.loads(json.dumps(even)), json.loads(json.dumps(even))
    del old["config"]["profile"]["training"]["placement"]
    named["config"]["profile"]["training"]["placement"] = "clipped"
    assert verdicts.likeness(old) == verdicts.likeness(named) != verdicts.likeness(even)
