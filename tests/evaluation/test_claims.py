"""The claims and the rule by which each is judged."""

import pytest
from made_up_scores import CLEAR, scores

from ivdlib.evaluation import verdicts
from ivdlib.evaluation.comparisons import WITH, WITHOUT
from ivdlib.report.audit import sections


@pytest.fixture(scope="module")
def judged():
    metrics = scores(CLEAR)
    metrics.loc[metrics["contrast"] == "fat", "dice"] -= 0.1
    return verdicts.judge({"made up": metrics}).set_index("key")


def test_verdicts_follow_the_rule(judged):
    assert judged.loc["networks", "verdict"] == "supported"
    assert judged.loc["networks", "mean"] == pytest.approx(0.05, abs=0.01)
    assert judged.loc["unet_deeplab", "verdict"] == "supported"
    assert judged.loc["fusion_training", "verdict"] == "the opposite holds"
    assert judged.loc["fusion_training", "mean"] == pytest.approx(-0.03, abs=0.01)
    assert judged.loc["fusion_unet", "verdict"] == "supported"
    assert judged.loc["fusion_random", "verdict"] == "open"
    assert judged.loc["fat", "mean"] == pytest.approx(0.1, abs=0.015)
    assert judged.loc["fat_opp", "verdict"] == "supported"
    assert judged.loc["fused", "mean"] == pytest.approx(0.025, abs=0.01)
    assert judged.loc["best_fused", "verdict"] == "open"
    tested = judged["verdict"] != "not tested on these data"
    assert (judged.loc[tested, "patients"] == 6).all() and (
        judged.loc[~tested, "patients"] == 0
    ).all()
    assert not judged["fixed"].any()  # of no kind that a primary comparison names


def test_what_is_primary_hangs_on_the_data():
    metrics = scores(CLEAR | {("unet:equal_weights", WITH): 0.0, ("unet:equal_cost", WITH): 0.0})
    names = {"one": "crops", "two": "slabs", "three": "phantom"}
    judged = verdicts.judge(dict.fromkeys(names, metrics), names)
    primary = judged[judged["fixed"]]
    assert set(zip(primary["key"], primary["kind"], strict=True)) == {
        ("fusion_training", "crops"), ("equal_weights", "slabs"), ("equal_cost", "slabs"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("offset", "words"),
    [(0.0, "supported"), (-0.03, "the opposite holds"), (0.05, "supported")],
)
def test_a_claim_of_no_cost_allows_a_margin(offset, words):
    metrics = scores({("fds_cnn", WITH): offset, ("fds_cnn:standard", WITH): 0.0}, spread=0.004)
    found = verdicts.judge({"x": metrics}).set_index("key")
    assert found.loc["standard", "verdict"] == words
    assert found.loc["standard", "low"] < 0 or offset > 0


def test_a_failure_on_one_contrast_is_told_apart():
    metrics = scores(CLEAR)
    metrics.loc[(metrics["contrast"] == "fat") & (metrics["network"] == "unet"), "dice"] = 0.0
    metrics.loc[metrics["network"] == "unet", "dice"] += 0.1
    found = verdicts.judge({"x": metrics}).set_index("key")
    assert found.loc["networks", "verdict"] == "supported"
    assert found.loc["networks_but_fat", "mean"] == pytest.approx(-0.05, abs=0.01)
    assert found.loc["networks_but_fat", "verdict"] == "the opposite holds"


def test_data_that_cannot_tell_say_so():
    slabs = scores({("fds_cnn", WITHOUT): 0.02, ("unet", WITHOUT): 0.0}, contrasts=("t2",))
    found = verdicts.judge({"slabs": slabs}).set_index("key")
    assert found.loc["networks", "verdict"] == "supported"
    rest = found.drop("networks")
    assert (rest["verdict"] == "not tested on these data").all() and (rest["patients"] == 0).all()
    for patients in ("a", "abc"):
        few = verdicts.judge({"few": scores(CLEAR, patients=patients)}).set_index("key")
        assert few.loc["networks", "verdict"] == "not tested: fewer than 4 patients"


def test_without_results_no_claim_is_judged():
    judged = verdicts.judge({})
    assert judged.empty and "verdict" in judged
    assert sections.claims(judged).startswith("No claim is judged here")
