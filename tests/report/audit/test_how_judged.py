"""Page two: the rules, and what is so in these experiments."""

from made_up_scores import CLEAR, scores

from ivdlib.evaluation import verdicts
from ivdlib.evaluation.comparisons import WITH
from ivdlib.report.audit import how_judged


def record(**training):
    return {"config": {"profile": {"size": "tiny", "training": training}}}


def test_uneven_tiles_are_marked_where_tiles_are_placed():
    clipped = record(placement="clipped")
    assert how_judged.uneven(clipped) and not how_judged.uneven(record(placement="even"))
    assert not how_judged.uneven(clipped | {"one_tile": True}) and not how_judged.uneven({})


def test_the_sign_is_explained_where_it_stands(tmp_path):
    kinds = ("result", "inner", "leak", "partition", "better", "external")
    found = {kind: {} for kind in kinds}
    found["result"] = {"one": (record(placement="even"), scores(CLEAR))}
    judged = verdicts.judge({"one": scores(CLEAR)})
    assert how_judged.UNEVEN not in how_judged.rules(tmp_path, found, judged)
    found["result"] = {"one": (record(placement="clipped"), scores(CLEAR))}
    assert how_judged.UNEVEN in how_judged.rules(tmp_path, found, judged)


def test_fair_sizes_are_told_of_if_there_are_any(tmp_path):
    found = dict.fromkeys(("result", "inner", "leak", "partition", "better", "external"), {})
    judged = verdicts.judge({"one": scores(CLEAR)})
    found["result"] = {"one": (record(), scores(CLEAR))}
    assert "Fair sizes" not in how_judged.rules(tmp_path, found, judged)
    found["result"] = {"one": (record(), scores(CLEAR | {("unet:equal_cost", WITH): 0.0}))}
    page = how_judged.rules(tmp_path, found, judged)
    assert "Fair sizes" in page and "learning rate" not in page
    found["inner"] = {"two": (record(), scores(CLEAR))}
    assert "learning rate" in how_judged.rules(tmp_path, found, judged)
