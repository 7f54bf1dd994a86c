"""The audit: verdicts by the stated rule, on made-up scores whose answer is known."""

import json

import pandas as pd
import pytest
from made_up_scores import CLEAR, scores

from ivdlib import profiles
from ivdlib.evaluation import verdicts
from ivdlib.evaluation.comparisons import WITH, WITHOUT


def test_an_unfinished_experiment_is_judged_by_the_patients_of_both_sides():
    metrics = scores(CLEAR)
    half = metrics[(metrics["network"] != "unet") | metrics["subject"].isin(list("abcd"))]
    found = verdicts.judge({"half": half}).set_index("key")
    assert found.loc["networks", "patients"] == 4
    none = metrics[(metrics["network"] == "unet") == metrics["subject"].isin(list("abc"))]
    assert verdicts.judge({"none": none}).set_index("key").loc["networks", "patients"] == 0


def test_patients_stand_in_the_order_of_their_numbers():
    metrics = scores(CLEAR, patients=("110", "18", "5"))
    assert [*verdicts.patients(metrics).index] == ["5", "18", "110"]


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


def over(seeds, metrics):
    """The same scores for several seeds, each in three folds of two."""
    folds = {name: number // 2 + 1 for number, name in enumerate("abcdef")}
    metrics = metrics.assign(fold=metrics["subject"].map(folds))
    return pd.concat([metrics.assign(seed=seed) for seed in range(seeds)])


def of(metrics, key="networks"):
    return verdicts.judge({"x": metrics}).set_index("key").loc[key]


def test_no_verdict_rests_on_a_failed_training():
    """The means hold the failure; the median over seeds must say the same."""
    good = scores({("fds_cnn", WITH): 0.0, ("unet", WITH): 0.02}, spread=0.002)
    seen = good.assign(scope="seen", dice=0.9)
    three = over(3, pd.concat([good, seen]))
    assert of(three)["verdict"] == verdicts.OPPOSITE and of(three)["failed"] == 0
    bad = (three["network"] == "unet") & (three["contrast"] == "fat") & (three["seed"] == 0)
    three.loc[bad, "dice"] = 0.0
    found = of(three)
    assert found["failed"] == 3 and found["verdict"] == verdicts.HANGS
    assert found["mean"] > 0 > found["median"] == pytest.approx(-0.02, abs=0.003)
    one = over(1, pd.concat([good, seen]))
    one.loc[(one["network"] == "unet") & (one["contrast"] == "fat"), "dice"] = 0.0
    assert of(one)["verdict"] == verdicts.HANGS  # one seed has no median
    steady = three.copy()  # the mean and the median agree
    steady.loc[steady["network"] == "fds_cnn", "dice"] += 0.5
    assert of(steady)["verdict"] == verdicts.SUPPORTED and of(steady)["failed"] == 3


def test_a_test_patient_is_never_what_a_failure_is_read_from():
    good = scores({("fds_cnn", WITH): 0.0, ("unet", WITH): 0.02}, spread=0.002)
    metrics = over(2, pd.concat([good, good.assign(scope="seen", dice=0.9)]))
    hard = (metrics["scope"] == "volume") & (metrics["fold"] == 1) & (metrics["network"] == "unet")
    metrics.loc[hard, "dice"] = 0.1
    assert of(metrics)["failed"] == 0


def test_small_differences_are_told_from_open_ones():
    tiny = scores({("fds_cnn", WITH): 0.001, ("unet", WITH): 0.0}, spread=0.002)
    assert of(tiny)["verdict"] == verdicts.ALIKE
    wide = scores({("fds_cnn", WITH): 0.001, ("unet", WITH): 0.0}, spread=0.1)
    assert of(wide)["verdict"] == verdicts.OPEN


@pytest.mark.parametrize(("record", "contrasts", "kind"), [
    ({"phantom": True, "one_tile": False}, ("wat", "fat"), "phantom"),
    ({"phantom": False, "one_tile": True}, ("wat", "fat"), "crops"),
    ({"phantom": False}, ("t2",), "slabs"), ({"phantom": False}, ("wat", "fat"), "dixon"),
])  # fmt: skip
def test_kinds_of_data(record, contrasts, kind):
    rows = scores({("unet", WITHOUT): 0.0}, contrasts=contrasts)
    assert verdicts.data_kind_of(record, rows) == kind


def test_the_papers_own_difference_stands_beside_ours():
    judged = verdicts.judge({"x": scores(CLEAR)}).set_index("key")["paper"]
    assert judged["networks"] == pytest.approx(0.0068)
    assert judged["fusion_training"] == pytest.approx(0.0048)
    assert judged["fat_opp"] == pytest.approx(0.9086 - 0.8853)
    assert pd.isna(judged["fusion_mask"])


def test_derived_images_do_not_speak_for_fused_ones():
    metrics = scores(CLEAR, spread=0.0)
    derived = metrics["contrast"].isin(["wat", "wat+opp", "wat+inn"])
    metrics = metrics.assign(derived=derived)
    before = of(metrics, "fused")["mean"]
    metrics.loc[derived, "dice"] += 0.3
    assert of(metrics, "fused")["mean"] == pytest.approx(before)


def test_two_seeds_have_no_median():
    good = scores({("fds_cnn", WITH): 0.0, ("unet", WITH): 0.02}, spread=0.002)
    two = over(2, pd.concat([good, good.assign(scope="seen", dice=0.9)]))
    assert pd.isna(of(two)["median"]) and of(two)["verdict"] == verdicts.OPPOSITE
    bad = (two["network"] == "unet") & (two["scope"] == "seen") & (two["contrast"] == "fat")
    two.loc[bad & (two["seed"] == 1), "dice"] = 0.46
    assert of(two)["verdict"] == verdicts.HANGS


def test_failures_of_old_trainings_are_read_beside_new_ones():
    """One training with a scan of its own does not hide that an older one failed."""
    good = scores({("fds_cnn", WITH): 0.0, ("unet", WITH): 0.02}, spread=0.002)
    metrics = over(1, good)
    bad = (metrics["network"] == "unet") & (metrics["contrast"] == "fat") & (metrics["fold"] == 1)
    metrics.loc[bad, "dice"] = 0.0
    assert of(metrics)["failed"] == 1
    seen = metrics[metrics["fold"] == 2].assign(scope="seen", dice=0.9)
    assert of(pd.concat([metrics, seen]))["failed"] == 1


def test_one_training_gives_no_verdict():
    one = scores({("fds_cnn", WITH): 0.1, ("unet", WITH): 0.0})
    assert over(1, one)["fold"].nunique() == 3 and of(over(1, one))["verdict"] == "supported"
    assert of(one.assign(fold=1))["verdict"] == "not tested: fewer than 2 trainings"


def test_contrasts_of_no_dixon_scan_are_slabs():
    rows = scores({("unet", WITHOUT): 0.0}, contrasts=("t1", "t2"))
    assert verdicts.data_kind_of({}, rows) == "slabs"
