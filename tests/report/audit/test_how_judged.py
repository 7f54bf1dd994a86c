"""Page two: the rules, and what is so in these experiments."""

from made_up_scores import CLEAR, scores

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
    assert how_judged.UNEVEN not in how_judged.rules(tmp_path, found)
    found["result"] = {"one": (record(placement="clipped"), scores(CLEAR))}
    assert how_judged.UNEVEN in how_judged.rules(tmp_path, found)
