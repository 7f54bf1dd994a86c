"""What verdicts hang on: folds, first seeds, failed trainings, other recipes, like runs."""

import pandas as pd
import pytest
from made_up_scores import CLEAR, SINGLE, scores

from ivdlib.evaluation import claims, verdicts
from ivdlib.evaluation.comparisons import WITH, WITHOUT
from ivdlib.report.audit import doubts

FOLDS = {"a": 1, "b": 1, "c": 2, "d": 2, "e": 3, "f": 3}
FAIR_UNET = "unet:equal_weights"
FAIR = {("fds_cnn", WITH): 0.03, (FAIR_UNET, WITH): 0.0}
BOTH = {("fds_cnn", WITH): 0.03, ("unet", WITH): 0.0}


def record(data="one", **profile):
    return {"data": data, "config": {"data": data, "folds": [], "profile": profile}}


def results(metrics):
    return {"one": (record(training={}), metrics)}


def in_folds(metrics):
    return metrics.assign(fold=metrics["subject"].map(FOLDS))


def line(page, *words):
    (found,) = [x for x in page.splitlines() if x[:1] == "|" and all(w in x for w in words)]
    return found


def of_folds(metrics):
    judged = verdicts.judge({"one": metrics}, {"one": "slabs"})
    return doubts.folds_section(results(metrics), judged)


def test_a_lucky_fold_is_seen():
    metrics = in_folds(scores(FAIR, spread=0.0))
    metrics.loc[(metrics["fold"] == 2) & (metrics["network"] == FAIR_UNET), "dice"] += 0.06
    assert "| +0.030, -0.030, +0.030 |" in line(of_folds(metrics), claims.CLAIMS[0].difference)


def test_the_first_seed_stands_apart():
    first = in_folds(scores(FAIR, spread=0.0))
    second = first.assign(seed=1)
    second.loc[second["network"] == FAIR_UNET, "dice"] += 0.04
    found = line(of_folds(pd.concat([first, second])), claims.CLAIMS[0].difference)
    assert "| +0.030, +0.030, +0.030, -0.010, -0.010, -0.010 |" in found and "| +0.0300 [" in found


def test_a_first_seed_that_compares_nothing_is_a_dash():
    both = in_folds(scores(FAIR, spread=0.0))
    seeds = pd.concat([both[both["network"] == "fds_cnn"], both.assign(seed=1)])
    assert line(of_folds(seeds), claims.CLAIMS[0].difference).endswith("| – – |")


def test_what_is_not_primary_here_is_not_shown():
    metrics = in_folds(scores(FAIR))
    judged = verdicts.judge({"one": metrics}, {"one": "crops"})
    assert doubts.folds_section(results(metrics), judged) == ""


def test_a_failed_training_is_named():
    """From a scan that trained; of older records from the other folds."""
    metrics = in_folds(scores(CLEAR))
    assert doubts.failed(results(metrics)) == ""
    fat = (metrics["contrast"] == "fat") & (metrics["trained_on"] == WITH)
    hit = fat & (metrics["network"] == "unet") & (metrics["fold"] == 3)
    metrics.loc[hit, "dice"] = 0.0
    found = line(doubts.failed(results(metrics)), "U-Net")
    assert found == "| one | U-Net | contrasts+fused | fat | 1 of 3 | 0.00 |"
    seen = metrics.assign(scope="seen", dice=0.9)  # it knows its own scan: hard to test, not failed
    assert doubts.failed(results(pd.concat([metrics, seen]))) == ""
    seen.loc[hit, "dice"] = 0.3
    assert "| 1 of 3 | 0.30 |" in line(doubts.failed(results(pd.concat([metrics, seen]))), "U-Net")


def test_a_recipe_stands_beside_the_paper_and_both_beside_a_program():
    plain = scores(BOTH, spread=0.0)
    mask = plain[plain["contrast"] == "wat"].assign(scope="together", contrast="together")
    plain = pd.concat([plain, mask])
    better = plain.assign(dice=plain["dice"] + 0.01)
    program = mask[mask["network"] == "unet"].assign(
        network="nnU-Net", trained_on="contrasts as channels", dice=lambda rows: rows["dice"] - 0.02
    )
    external = {"external": "nnU-Net"}
    other = {
        "program": (record() | external, program),
        "elsewhere": (record("two") | external, program),
    }
    page = doubts.recipes(results(plain), {"more": (record(), better)}, other)
    assert "+0.0100" in line(page, "| more | one |", "U-Net", "single contrasts")
    assert "+0.0100" in line(page, "| more | one |", "FDS-CNN", "one mask")
    assert "+0.0300" in line(page, "| more | program |", "U-Net, contrasts+fused − nnU-Net")
    assert "+0.0200" in line(page, "| one | program |", "U-Net, contrasts+fused − nnU-Net")
    assert "elsewhere" not in page
    assert doubts.recipes(results(plain), {}, {}) == ""


@pytest.mark.parametrize(("precision", "beside", "gain"), [
    ("float32", "watched", "+0.0400"), ("auto", "one", "+0.0500"), ("bfloat16", "one", "+0.0500"),
])  # fmt: skip
def test_a_leak_is_set_against_a_run_of_the_same_precision(precision, beside, gain):
    plain = scores({("unet", WITHOUT): 0.0}, contrasts=SINGLE, spread=0.0)
    runs = {"one": (record(training={"precision": "auto"}), plain)}
    watched = record(leak="epoch", training={"precision": "float32"})
    leaky = record(leak="scan", training={"precision": precision})
    found = {
        "watched": (watched, plain.assign(dice=plain["dice"] + 0.01)),
        "leaky": (leaky, plain.assign(dice=plain["dice"] + 0.05)),
    }
    page = doubts.leaks(runs, found)
    assert gain in line(page, f"| leaky | {beside} |")


def test_what_a_training_took_is_told_by_network():
    records = [
        {"network": network, "parameters": 1234, "options": {"steps": 5}, "seconds_training": s}
        for network, seconds in (("fds_cnn", (30.0, 10.0, 20.0)), ("unet:equal_cost", (9.0,)))
        for s in seconds
    ]
    page = doubts.took({"one": records})
    assert "| one | FDS-CNN | 1,234 | 5 | 3 | 20 | 10 |" in page
    assert "| one | U-Net, equal cost | 1,234 | 5 | 1 | 9 | 9 |" in page
    assert doubts.took({}) == ""
