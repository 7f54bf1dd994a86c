"""The figure of page one."""

import pandas as pd
from made_up_scores import CLEAR, scores
from matplotlib import pyplot

from ivdlib.evaluation import headlines, verdicts
from ivdlib.report.audit import page_one_figure


def test_each_claim_of_page_one_has_a_name_and_a_dot():
    assert {key for one in headlines.HEADLINES for key in one.claims} == set(
        page_one_figure.SHORT_NAMES
    )
    metrics = {"one": scores(CLEAR)}
    found = headlines.evidence(verdicts.judge(metrics, {"one": "crops"}), {"one": 5}, metrics)
    fields = found.assign(experiment="p on m", kind="bodies")  # in gaps, not in Dice: left out
    figure = page_one_figure.draw_page_one(pd.concat([found, fields]))
    (axes,) = figure.axes
    shown = [label.get_text() for label in axes.get_yticklabels()]
    keys = [key for one in headlines.HEADLINES for key in one.claims if key in set(found["key"])]
    assert shown == [page_one_figure.SHORT_NAMES[key] for key in keys]
    assert len(axes.containers) == 1
    far = [text.get_text() for text in axes.texts]
    beyond = found[found["key"].isin(keys) & (found["mean"].abs() > page_one_figure.WIDEST)]
    assert sorted(far) == sorted(f"{mean:+.2f}" for mean in beyond["mean"])
    pyplot.close(figure)
