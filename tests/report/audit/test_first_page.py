"""Page one: ten claims, a mark and an interval for each kind of data."""

import pandas as pd
import pytest
from made_up_scores import CLEAR, scores

from ivdlib.evaluation import headlines, verdicts
from ivdlib.evaluation.comparisons import WITH
from ivdlib.report.audit import first_page

FAIR = {("unet:equal_weights", WITH): 0.0, ("unet:equal_cost", WITH): 0.09}


@pytest.fixture(scope="module")
def found():
    names = {"one": "crops", "two": "slabs"}
    metrics = dict.fromkeys(names, scores(CLEAR | FAIR, spread=0.002))
    judged = verdicts.judge(metrics, names)
    return judged, headlines.evidence(judged, {"one": 5, "two": 5}, metrics)


@pytest.mark.slow
def test_page_one_has_ten_claims_with_marks(found):
    judged, evidence = found
    page = headlines.page_one(evidence)
    text = first_page.first_page(page, evidence, {"two": "†"}, ["No pre-training."])
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert [row.split(". ")[0][2:] for row in rows] == [str(n) for n in range(1, 11)]
    assert "slabs (6 patients)" in text and "*phantom*" not in text
    fair = rows[0].split(" | ")
    assert "✓\u00a0+0.05" in fair[1] and "**weights ✓\u00a0+0.05" in fair[2]  # slabs decide
    assert "**cost ✗\u00a0−0.0" in fair[2] and "†** [−0.0" in fair[2]
    assert "**Depends on size.**" in fair[3]
    assert "✓ weights, ✗ multiply–adds" in rows[5]
    assert "1/3.0 of a U-Net's weights, 3.5 times its multiply–adds." in rows[5]
    assert "as published: 1/3.9 of its weights, 13.1 times its multiply–adds." in text
    assert text.rstrip().endswith("- No pre-training.")
    for row in evidence.itertuples():
        assert row.verdict in first_page.MARKS


def test_wide_intervals_have_fewer_digits_and_gaps_are_named():
    row = {"mean": 0.1234, "low": -0.2, "high": 0.4, "kind": "phantom", "experiment": "x"}
    (one,) = pd.DataFrame([row]).itertuples()
    assert first_page._number(one) == ("+0.12", "[−0.20,\u00a0+0.40]")
    (one,) = pd.DataFrame([row | {"kind": "bodies"}]).itertuples()
    assert first_page._number(one)[0] == "+0.12 of gaps"


def test_the_footer_tells_what_else_was_tried(found):
    judged, evidence = found
    told = first_page.footer(judged, evidence, {}, {}, {})
    assert len(told) == 1 and "pre-training" in told[0]
    plain = scores(CLEAR, spread=0.0)
    mask = plain[plain["contrast"] == "wat"].assign(scope="together", contrast="together")
    program = mask[mask["network"] == "unet"].assign(
        network="nnU-Net", trained_on="contrasts as channels"
    )
    record = {"data": "one"}
    ours = {"one": (record | {"derived": ["wat"]}, pd.concat([plain, mask]))}
    told = first_page.footer(judged, evidence, {}, {"program": (record, program)}, ours)
    assert told[1].startswith("FDS-CNN − nnU-Net (program), one mask a scan, beside one: +")
    assert told[2].startswith("Derived, not measured: wat in one.")
    apart = {"program": ({"data": "two"}, program)}
    assert len(first_page.footer(judged, evidence, {}, apart, {"one": (record, plain)})) == 1
