"""Which trainings a claim compares."""

import numpy as np
import pandas as pd
import pytest
from made_up_scores import CLEAR, FUSED, scores

from ivdlib.evaluation import comparisons, verdicts
from ivdlib.evaluation.comparisons import QUIET, WITH, WITHOUT


def test_fat_is_compared_with_the_next_hardest():
    metrics = scores(CLEAR, spread=0.002)
    metrics.loc[metrics["contrast"] == "fat", "dice"] -= 0.05
    metrics.loc[metrics["contrast"] == "inn", "dice"] -= 0.1
    found = verdicts.judge({"x": metrics}).set_index("key")
    assert found.loc["fat", "mean"] == pytest.approx(-0.05, abs=0.005)
    assert found.loc["fat", "verdict"] == "the opposite holds"
    assert found.loc["fat_mean", "mean"] == pytest.approx(0.05 - 0.1 / 3, abs=0.005)


def test_each_fused_contrast_must_gain_over_both_of_its_own():
    metrics = scores(CLEAR, spread=0.002)
    fused = metrics["contrast"].isin(FUSED)
    metrics.loc[fused, "dice"] += 0.05
    found = verdicts.judge({"x": metrics}).set_index("key").loc["each_fused"]
    assert found["verdict"] == "supported" and found["mean"] == pytest.approx(0.05, abs=0.005)
    metrics.loc[metrics["contrast"] == "opp", "dice"] += 0.08  # now fat+opp and others lie below
    found = verdicts.judge({"x": metrics}).set_index("key").loc["each_fused"]
    assert found["verdict"] == "does not hold"  # one of eight refutes it
    assert found["difference"].endswith(": fat+opp − opp")
    assert found["mean"] == pytest.approx(-0.03, abs=0.005)


def test_two_networks_are_compared_on_like_terms():
    """One that lacks the training with fusion is not compared by its training without."""
    metrics = scores(CLEAR)
    less = metrics[(metrics["network"] != "unet") | (metrics["trained_on"] != WITH)]
    found = verdicts.judge({"x": less}).set_index("key")
    assert found.loc["networks", "patients"] == 0
    assert found.loc["networks_without", "mean"] == pytest.approx(0.11, abs=0.01)
    slabs = scores({("fds_cnn", WITHOUT): 0.02, ("unet", WITHOUT): 0.0}, contrasts=("t2",))
    found = verdicts.judge({"x": slabs}).set_index("key")
    assert found.loc["networks", "patients"] == 6  # no fusion at all: one comparison, not two
    assert found.loc["networks_without", "patients"] == 0


def test_noise_is_judged_on_each_kind_of_image():
    offsets = {("fds_cnn", WITH): 0.05, ("fds_cnn", QUIET): 0.0}
    worse = {("fds_cnn", WITH): -0.05, ("fds_cnn", QUIET): 0.0}
    metrics = pd.concat([scores(offsets), scores(worse, scope="blurred")])
    found = verdicts.judge({"x": metrics}).set_index("key")["verdict"]
    assert found["noise_volume"] == "supported"
    assert found["noise_blurred"] == "the opposite holds"
    assert found["noise_noisy"] == "not tested on these data"


def test_worse_images_and_discs_do_not_mix_with_the_scans():
    metrics = scores(CLEAR)
    worse = metrics.assign(scope="blurred", dice=0.1)
    discs = metrics.assign(scope="disc", dice=0.2)
    together = pd.concat([metrics, worse, discs])
    pd.testing.assert_frame_equal(verdicts.judge({"x": metrics}), verdicts.judge({"x": together}))
    blurred = comparisons.patient_dice(together, "fds_cnn", scope="blurred")
    assert blurred.to_numpy() == pytest.approx(0.1)


def test_uses_of_the_spine_are_compared_with_none():
    def made(region, mask, offset, data="slabs"):
        metrics = scores({("fds_cnn", WITHOUT): offset}, contrasts=("t2",), spread=0.002)
        metrics = metrics.assign(discs_inside=0.99, region_share=0.3)
        spine = {"region": region, "mask": mask}
        profile = {"spine": spine, "training": {"steps": 7}}
        return {"data": data, "config": {"data": data, "folds": [], "profile": profile}}, metrics

    found = verdicts.judge_spine({
        "a": made("none", True, 0.0), "b": made("predicted", True, 0.04),
        "c": made("predicted", False, -0.04), "d": made("true", True, 0.1, data="other"),
    }).set_index("use")  # fmt: skip
    assert set(found.index) == {"none", "predicted, zero outside", "predicted, places the tiles"}
    better = found.loc["predicted, zero outside"]
    assert better["mean"] == pytest.approx(0.04, abs=0.003) and better["low"] > 0
    assert found.loc["predicted, places the tiles", "high"] < 0
    assert np.isfinite(found["p"].drop("none")).all()
    record, whole = made("predicted", True, 0.04)
    part = {"a": made("none", True, 0.0), "b": (record, whole[whole["subject"] < "c"])}
    unfinished = verdicts.judge_spine(part).set_index("use")  # judged by the patients of both
    assert unfinished.loc["predicted, zero outside", "patients"] == 2
    longer = record | {"config": {**record["config"], "profile": {
        **record["config"]["profile"], "bn_momentum": 0.5}}}  # fmt: skip
    assert verdicts.judge_spine({**part, "b": (longer, whole)}).empty  # something else differs, too
    assert better["patients"] == 6 and better["discs_inside"] == pytest.approx(0.99)
    assert verdicts.judge_spine({}).empty
