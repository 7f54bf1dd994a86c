import copy
import pickle

from ivdlib.data import remarks


def test_a_remark_comes_once_with_the_cases_it_concerns():
    pairs = [("A1", "x"), ("B1", "y"), *((f"C{n}", "x") for n in range(6))]
    assert remarks.grouped(pairs) == [
        ("7 cases (A1, C0, C1, C2, C3 and 2 more)", "x"),
        ("case B1", "y"),
    ]


def test_a_remark_is_a_sentence_that_knows_its_parts():
    one = remarks.Remark("a (x; y) is so", "do b; c").about("wat")
    assert one == "wat: a (x; y) is so; do b; c" and remarks.Remark("nothing to do").repair == ""
    for same in (one, pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
        assert (same.what, same.repair) == ("wat: a (x; y) is so", "do b; c")
