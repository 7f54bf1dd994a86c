"""Page one: which rows it rests on, and how verdicts are put together."""

import pandas as pd
import pytest
from made_up_scores import CLEAR, scores

from ivdlib.evaluation import headlines, verdicts
from ivdlib.evaluation.comparisons import WITH, WITHOUT
from ivdlib.evaluation.headlines import DATA, SIZE
from ivdlib.evaluation.verdicts import ALIKE, HANGS, OPEN, OPPOSITE, SUPPORTED, UNTESTED

FAIR = {("unet:equal_weights", WITH): 0.0, ("unet:equal_cost", WITH): 0.09}


@pytest.mark.parametrize(("found", "word"), [
    ([SUPPORTED, SUPPORTED], SUPPORTED), ([OPPOSITE, OPPOSITE], OPPOSITE),
    ([SUPPORTED, OPPOSITE], SIZE), ([SUPPORTED, OPEN], SIZE), ([SUPPORTED, ALIKE], SIZE),
    ([OPEN, OPPOSITE], OPEN), ([SUPPORTED, HANGS], HANGS), ([SUPPORTED, UNTESTED], UNTESTED),
    ([SUPPORTED, "not tested: fewer than 4 patients"], UNTESTED), ([], UNTESTED),
])  # fmt: skip
def test_all_claims_of_a_headline_must_hold(found, word):
    assert headlines.together(found, SIZE) == word
    assert headlines.together(found[::-1], SIZE) == word


@pytest.mark.parametrize(("cells", "word"), [
    ({"slabs": SUPPORTED, "phantom": SUPPORTED}, SUPPORTED), ({"slabs": OPPOSITE}, OPPOSITE),
    ({"slabs": SUPPORTED, "phantom": OPPOSITE}, DATA),
    ({"slabs": SUPPORTED, "phantom": OPEN}, OPEN), ({"crops": SUPPORTED}, UNTESTED),
    ({"slabs": SIZE, "phantom": OPEN}, SIZE), ({"slabs": ALIKE, "phantom": UNTESTED}, ALIKE),
])  # fmt: skip
def test_only_data_that_decide_have_a_say(cells, word):
    assert headlines.overall(cells, headlines.ARCHITECTURE) == word


def test_each_verdict_has_a_sentence():
    words = (SUPPORTED, OPPOSITE, ALIKE, OPEN, HANGS, UNTESTED, SIZE, DATA)
    for headline in headlines.HEADLINES:
        for word in words:
            assert headlines.sentence(headline, word).endswith(".")


def page(experiments, kinds, steps):
    judged = verdicts.judge(experiments, kinds)
    found = headlines.evidence(judged, steps, experiments)
    return found, headlines.page_one(found).set_index("key")


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


def test_nothing_judged_is_no_evidence():
    found = headlines.evidence(verdicts.judge({}), {}, {})
    assert found.empty and (headlines.page_one(found)["verdict"] == UNTESTED).all()


def test_the_papers_use_of_the_spine_is_a_claim():
    numbers = verdicts.numbers(None) | {"mean": 0.1, "low": 0.05, "high": 0.15, "patients": 12}
    rows = pd.DataFrame([
        {"experiment": "a", "use": use, "verdict": SUPPORTED, **numbers}
        for use in ("none", "predicted, zero outside", "true, zero outside")
    ])  # fmt: skip
    found = headlines.spine_rows(rows, {"a": "slabs"})
    assert list(found["key"]) == ["spine"] and found["kind"].iloc[0] == "slabs"
    assert list(found.columns) == list(verdicts.JUDGED)
    assert headlines.spine_rows(pd.DataFrame(), {}).empty
