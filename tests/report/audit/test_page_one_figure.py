"""The figure of page one."""

import pandas as pd
import pytest
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
    shown = [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]
    keys = [key for one in headlines.HEADLINES for key in one.claims if key in set(found["key"])]
    assert shown == [page_one_figure.SHORT_NAMES[key] for key in keys]
    assert all(len(axes.containers) == 1 for axes in figure.axes)
    far = [text.get_text() for axes in figure.axes for text in axes.texts]
    beyond = found[found["key"].isin(keys) & (found["mean"].abs() > page_one_figure.WIDEST)]
    assert sorted(far) == sorted(f"{mean:+.2f}" for mean in beyond["mean"])
    pyplot.close(figure)


@pytest.mark.parametrize(("number", "columns"), [(1, 1), (6, 1), (7, 2), (12, 2)])
def test_many_claims_stand_in_two_columns_in_order(number, columns):
    keys = [*page_one_figure.SHORT_NAMES][:number]
    rows = [{"key": key, "kind": kind, "mean": 0.01, "low": 0.0, "high": 0.02}
            for key in keys for kind in ("crops", "slabs")]  # fmt: skip
    figure = page_one_figure.draw_page_one(pd.DataFrame(rows))
    assert len(figure.axes) == columns
    shown = [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]
    assert shown == [page_one_figure.SHORT_NAMES[key] for key in keys]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1  # rows as high in both
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["crops", "slabs"]
    pyplot.close(figure)
