"""Page three: what is open, and how many patients would settle it."""

import numpy as np
import pandas as pd
import pytest
from made_up_scores import CLEAR, scores

from ivdlib.evaluation import headlines, statistics, verdicts
from ivdlib.report.audit import what_would_change
from ivdlib.report.audit.sections import holds


def row(**values):
    (one,) = pd.DataFrame([values]).itertuples()
    return one


def test_so_many_patients_make_half_the_interval_as_wide_as_the_difference():
    differences = np.random.default_rng(0).normal(0, 0.02, 12)
    low, high = statistics.interval(differences)
    made = row(patients_low=low, patients_high=high, patients=12, paper=0.0068)
    number = what_would_change.patients_needed(made)
    spread = differences.std(ddof=1)
    assert statistics.quantile(int(number)) * spread / np.sqrt(number) <= 0.0068
    assert statistics.quantile(int(number) - 1) * spread / np.sqrt(number - 1) > 0.0068
    tiny = made._replace(paper=1e-7)
    assert what_would_change.patients_needed(tiny) == np.inf
    assert np.isnan(what_would_change.patients_needed(made._replace(patients_low=np.nan)))


@pytest.mark.parametrize(("low", "high", "words"), [
    (0.0, 0.01, "held"), (-0.02, 0.0, "less here"), (0.01, 0.02, "more here"),
    (np.nan, np.nan, "–"),
])  # fmt: skip
def test_whether_the_papers_difference_is_held(low, high, words):
    assert holds(row(low=low, high=high, paper=0.0068)) == words
    assert holds(row(low=low, high=high, paper=np.nan)) == "–"


def test_what_is_open_is_listed_with_commands():
    judged = verdicts.judge({"one": scores(CLEAR)}, {"one": "crops"})
    found = headlines.evidence(judged, {"one": 5}, {"one": scores(CLEAR)})
    page = what_would_change.change(judged, headlines.page_one(found))
    assert "trained with − without, equal steps, single contrasts (crops)" in page
    assert "which see farther) helps: not tested on these data." in page
    assert "Training with fused images helps:" not in page  # it is settled here
    assert "ivdlib grid --profile paper --data" in page
