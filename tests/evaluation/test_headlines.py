"""Page one: which rows it rests on, and how verdicts are put together."""

import pandas as pd
import pytest
from made_up_scores import CLEAR, scores

from ivdlib.evaluation import headlines, verdicts
from ivdlib.evaluation.comparisons import WITH, WITHOUT
from ivdlib.evaluation.headlines import DATA, PART, SIZE
from ivdlib.evaluation.verdicts import (
    ALIKE,
    FAILS,
    HANGS,
    OPEN,
    OPPOSITE,
    SUPPORTED,
    UNTESTED,
)

FAIR = {("unet:equal_weights", WITH): 0.0, ("unet:equal_cost", WITH): 0.09}


@pytest.mark.parametrize(("found", "word"), [
    ([SUPPORTED, SUPPORTED], SUPPORTED), ([OPPOSITE, OPPOSITE], OPPOSITE),
    ([SUPPORTED, OPPOSITE], SIZE), ([SUPPORTED, OPEN], OPEN), ([SUPPORTED, ALIKE], SIZE),
    ([OPEN, OPPOSITE], FAILS), ([SUPPORTED, HANGS], HANGS), ([SUPPORTED, UNTESTED], UNTESTED),
    ([OPPOSITE, UNTESTED], FAILS), ([OPPOSITE, ALIKE], FAILS), ([ALIKE, ALIKE], ALIKE),
    ([SUPPORTED, "not tested: fewer than 4 patients"], UNTESTED), ([], UNTESTED),
])  # fmt: skip
def test_all_claims_of_a_headline_must_hold(found, word):
    assert headlines.together(found, SIZE) == word
    assert headlines.together(found[::-1], SIZE) == word


@pytest.mark.parametrize(("cells", "word"), [
    ({"slabs": SUPPORTED, "phantom": SUPPORTED}, SUPPORTED), ({"slabs": OPPOSITE}, OPPOSITE),
    ({"slabs": SUPPORTED, "phantom": OPPOSITE}, DATA),
    ({"slabs": SUPPORTED, "phantom": OPEN}, PART), ({"crops": SUPPORTED}, UNTESTED),
    ({"slabs": SIZE, "phantom": OPEN}, PART), ({"slabs": OPPOSITE, "phantom": ALIKE}, FAILS),
    ({"slabs": SUPPORTED, "phantom": ALIKE}, DATA), ({"slabs": ALIKE, "phantom": UNTESTED}, ALIKE),
])  # fmt: skip
def test_only_data_that_decide_have_a_say(cells, word):
    assert headlines.overall(cells, headlines.ARCHITECTURE) == word


def test_each_verdict_has_a_sentence():
    words = (SUPPORTED, OPPOSITE, ALIKE, OPEN, HANGS, FAILS, UNTESTED, SIZE, DATA, PART)
    for headline in headlines.HEADLINES:
        for word in words:
            assert headlines.headline_sentence(headline, word).endswith(".")


def page(experiments, kinds, steps):
    judged = verdicts.judge(experiments, kinds)
    found = headlines.evidence(judged, steps, experiments)
    return found, headlines.page_one(found).set_index("key")


@pytest.mark.parametrize(("words", "in_part"), [
    ((SUPPORTED, OPEN), True), ((OPEN, SUPPORTED), True), ((OPEN, OPEN), False),
    ((SUPPORTED, SUPPORTED), False), ((SUPPORTED, ALIKE), False),
])  # fmt: skip
def test_what_holds_in_part_is_said(words, in_part):
    keys = ("aligned_two_down", "aligned_four_down")
    found = [{"key": key, "kind": "slabs", "verdict": word}
             for key, word in zip(keys, words, strict=True)]  # fmt: skip
    line = headlines.page_one(pd.DataFrame(found)).set_index("key").loc["down"]
    assert line["so_what"].startswith("Part of it holds") == in_part


def test_page_one_asks_for_both_sizes():
    slabs = scores(CLEAR | FAIR, spread=0.002)
    found, one = page({"a": slabs}, {"a": "slabs"}, {"a": 5})
    assert one.loc["fair", "slabs"] == one.loc["fair", "verdict"] == SIZE
    assert one.loc["fair", "phantom"] == UNTESTED
    assert set(found["kind"]) == {"slabs"}
    less = scores({key: 0.0 for key in (*CLEAR, *FAIR)} | {("fds_cnn", WITH): 0.05}, spread=0.002)
    assert page({"a": less}, {"a": "slabs"}, {"a": 5})[1].loc["fair", "verdict"] == SUPPORTED


def test_the_largest_experiment_speaks_and_short_ones_do_not():
    large = scores(CLEAR, patients="abcdef")
    small = scores(CLEAR, patients="abcd")
    ablation = scores({("fds_cnn", WITHOUT): 0.0, ("fds_cnn:no_dilation", WITHOUT): 0.0})
    names = {"large": large, "small": small, "short": ablation}
    kinds = dict.fromkeys(names, "slabs")
    found, one = page(names, kinds, {"large": 100, "small": 100, "short": 30})
    assert set(found["experiment"]) == {"large"} and one.loc["dilation", "verdict"] == UNTESTED
    found, one = page(names, kinds, {"large": 100, "small": 100, "short": 100})
    assert set(found.loc[found["key"] == "no_dilation", "experiment"]) == {"short"}
    assert one.loc["dilation", "verdict"] != UNTESTED
    assert not found.duplicated(["key", "kind"]).any()


def test_an_ablation_with_many_trainings_makes_no_experiment_short():
    """Nor do rows that need no network."""
    whole = scores(CLEAR)
    many = {(f"fds_cnn:{name}", WITHOUT): 0.0 for name in ("no_dilation", "no_aspp", "standard")}
    ablation = scores(
        many | {("fds_cnn", WITHOUT): 0.0} | {(f"atlas{n}", WITHOUT): 0.0 for n in "abc"}
    )
    names = {"whole": whole, "short": ablation}
    found, _ = page(names, dict.fromkeys(names, "slabs"), {"whole": 100, "short": 30})
    assert set(found["experiment"]) == {"whole"}


def test_experiments_that_have_not_tested_everybody_do_not_speak():
    metrics = {"half": scores(CLEAR, patients="abcd"), "done": scores(CLEAR, patients="efgh")}
    judged = verdicts.judge(metrics, dict.fromkeys(metrics, "slabs"))
    steps = dict.fromkeys(metrics, 5)
    found = headlines.evidence(judged, steps, metrics, {"half": 22, "done": 4})
    assert set(found["experiment"]) == {"done"}


def test_scans_without_disc_labels_never_stand_for_labelled_ones():
    judged = verdicts.judge({"real": scores(CLEAR)}, {"real": "dixon"})
    gaps = judged[judged["key"] == "fds_deeplab"].assign(kind="bodies", patients=24)
    found = headlines.evidence(pd.concat([judged, gaps]), {"real": 5}, {"real": scores(CLEAR)})
    kinds = set(found.loc[found["key"] == "fds_deeplab", "kind"])
    assert kinds == {"dixon", "bodies"}
    assert "bodies" not in (*headlines.ARCHITECTURE, *headlines.FUSION)


def test_crops_are_not_asked_about_deeplab():
    found, one = page({"a": scores(CLEAR)}, {"a": "crops"}, {"a": 5})
    assert "fds_deeplab" not in set(found["key"]) and one.loc["deeplab", "crops"] == UNTESTED


def test_experiments_that_disagree_are_found():
    large, small = scores(CLEAR), scores(CLEAR, patients="abcd")
    small.loc[small["network"] == "fds_cnn", "dice"] -= 0.2
    metrics = {"large": large, "small": small}
    judged = verdicts.judge(metrics, dict.fromkeys(metrics, "phantom"))
    found = headlines.evidence(judged, dict.fromkeys(metrics, 5), metrics)
    other = headlines.disagreeing(judged, found)
    assert set(other["experiment"]) == {"small"} and "fds_deeplab" in set(other["key"])


def test_nothing_judged_is_no_evidence():
    found = headlines.evidence(verdicts.judge({}), {}, {})
    assert found.empty and (headlines.page_one(found)["verdict"] == UNTESTED).all()


def test_the_papers_use_of_the_spine_is_a_claim():
    numbers = verdicts.numbers_of(None) | {"mean": 0.1, "low": 0.05, "high": 0.15, "patients": 12}
    rows = pd.DataFrame([
        {"experiment": "a", "use": use, "verdict": SUPPORTED, **numbers}
        for use in ("none", "predicted, zero outside", "true, zero outside")
    ])  # fmt: skip
    found = headlines.spine_rows(rows, {"a": "slabs"})
    assert list(found["key"]) == ["spine"] and found["kind"].iloc[0] == "slabs"
    assert list(found.columns) == list(verdicts.JUDGED)
    assert headlines.spine_rows(pd.DataFrame(), {}).empty
