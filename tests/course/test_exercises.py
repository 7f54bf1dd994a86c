"""The check of an answer, and the seed of a student."""

import re

import numpy as np
import pandas as pd
import pytest

from ivdlib.course import exercises
from ivdlib.course.exercises import WrongAnswer, check, seed, tally, whose

MASK = np.eye(2) > 0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (4, 4), (4.0, 4), (np.int64(4), 4), (0.2502, 0.25), (np.float32(0.25), 0.25),
        (np.array(0.25), 0.25), (float("nan"), float("nan")), (1e-15, 0.0), (True, np.True_),
        (" Wat ", "wat"), ({"a", "b"}, {"b", "a"}), (["b", "a", "a"], {"a", "b"}),
        ([1, 2], np.array([1, 2])), ([0.0, 100.1], [0.0, 100.0]), (MASK, MASK.copy()),
        (pd.Series(["A", "b"]), ["a", "B"]), (pd.Series([1.0, 2.0]), [1.0, 2.0]),
    ],
)  # fmt: skip
def test_right_answers(answer, expected, capsys):
    check(answer, expected)
    assert capsys.readouterr().out.startswith("✅ ")


@pytest.mark.parametrize(
    ("answer", "expected", "sentence"),
    [
        (None, 4, "❌ not answered yet: write it in place of # YOUR CODE HERE."),
        (None, {1}, "❌ not answered yet: write it in place of # YOUR CODE HERE."),
        (5, 4, "❌ 5 is too large."),
        (8700, 8768, "❌ 8700 is too small."),
        (0.26, 0.25, "❌ 0.26 is too large."),
        (float("nan"), 0.25, "❌ nan is not right."),
        (0.25, float("nan"), "❌ 0.25 is not right."),
        (1, True, "❌ expected a truth value, got a number (1)."),
        (False, True, "❌ False is not right."),
        ("wet", "wat", "❌ 'wet' is not right."),
        ("4", 4, "❌ expected a number, got text ('4')."),
        (print, 4, "❌ expected a number, got a value of type builtin_function_or_method."),
        ([[1], [1, 2]], 4, "❌ expected a number, got a value of type list."),
        ({"a", 3}, {"a", "b"}, "❌ yours lacks 1 more and must not hold 3."),
        ({"a"}, {"a", "b"}, "❌ yours lacks 1 more."),
        ("ab", {"a", "b"}, "❌ expected a set, got text ('ab')."),
        ([1.0, 2.5, 3.5], [1.0, 2.0, 3.0], "❌ 2 of 3 values are not right, the first at [1]: "
         "2.5 is too large."),
        (~MASK, MASK, "❌ 4 of 4 values are not right, the first at [0, 0]: False is not "
         "right."),
        (["a", "x"], ["a", "b"], "❌ 1 of 2 values are not right, the first at [1]: "
         "'x' is not right."),
        (MASK.astype(int), MASK, "❌ expected an array of shape (2, 2) that holds truth values, "
         "got an array of shape (2, 2) that holds numbers ([[1, 0], [0, 1]])."),
        ([1, 2], [1, 2, 3], "❌ expected an array of shape (3,) that holds numbers, "
         "got an array of shape (2,) that holds numbers ([1, 2])."),
        (15.5, 16, "❌ 15.5 is no whole number, and a whole number is asked for."),
        (0.02, 0.0209, "❌ 0.02 has too few decimals."),
        (0.66, 0.66667, "❌ 0.66 has too few decimals."),
        (0.6, 0.5, "❌ 0.6 is too large."),
    ],
)  # fmt: skip
def test_wrong_answers_are_told_in_one_sentence(answer, expected, sentence):
    with pytest.raises(AssertionError) as caught:
        check(answer, expected)
    assert str(caught.value) == sentence
    assert caught.value._render_traceback_() == [sentence]


def test_a_number_that_rounding_took_from_a_whole_one_will_do(capsys):
    check(40 / (2 * 1.24999998), 16)
    check(np.array([0.14, 0.3]), [0.14, 0.3])
    assert capsys.readouterr().out == "✅ 16 is right\n✅ [0.14, 0.3 ] is right\n"


def test_tolerance_is_a_share_of_what_is_expected():
    check(8700, 8768, tolerance=0.01)
    check([0.0, 0.5], [0.004, 0.5], tolerance=0.01)
    for answer, tolerance in ((0.2516, 0.001), (0.25, 0.0)):
        with pytest.raises(WrongAnswer):
            check(answer, 0.2511, tolerance=tolerance)


def test_a_hint_follows_the_sentence():
    with pytest.raises(WrongAnswer, match=r"^❌ 5 is too large; hint: count again\.$"):
        check(5, 4, hint="count again.")


def test_a_known_mistake_is_named_instead():
    mistakes = {"per cent?": 25.0, "you divided by n": 0.2495}
    check(0.25, 0.25, mistakes=mistakes)
    check(0.2502, 0.25, mistakes=mistakes)
    for answer, sentence in ((25, "25: per cent?"), (0.2495, "0.2495: you divided by n")):
        with pytest.raises(WrongAnswer, match=f"^❌ {re.escape(sentence)}.$".replace("?.$", "?")):
            check(float(answer), 0.25, mistakes=mistakes, hint="a share")
    with pytest.raises(WrongAnswer, match="too large; hint: a share"):
        check(0.4, 0.25, mistakes=mistakes, hint="a share")


def test_an_answer_near_the_right_one_may_be_a_mistake_all_the_same():
    """Within the tolerance of both, the nearer one counts."""
    with pytest.raises(WrongAnswer, match="one slice, not the scan"):
        check(0.7690, 0.7682, mistakes={"one slice, not the scan": 0.7691})


def test_what_cannot_be_compared_is_the_authors_fault():
    with pytest.raises(TypeError, match="not a value of type dict"):
        check(3, {"a": 3})


def test_a_seed_is_the_same_on_every_machine():
    assert seed("Ann") == 1234263565
    assert seed(" ann ") == seed("Ann")
    assert seed("Zoe\u0308") == seed("Zoë")  # macOS writes it in two characters
    seeds = {seed(f"student {n}") for n in range(200)}
    assert len(seeds) == 200
    assert all(0 <= number < 2**32 for number in seeds)


def run_cell(name, code):
    exec(compile(code, name, "exec"), {"check": check})


def test_a_tally_counts_cells_as_their_checks_last_found(monkeypatch, capsys):
    monkeypatch.setattr(exercises, "RIGHT", {})
    run_cell("first", "check(4, 4)")
    run_cell("first", "check(4, 4)")
    with pytest.raises(WrongAnswer):
        run_cell("second", "check(4, 4)\ncheck(None, 4)")
    capsys.readouterr()
    tally(2)
    assert capsys.readouterr().out == "1 of 2 exercises with a check are right so far.\n"
    run_cell("second", "check(4, 4)\ncheck(4, 4)")
    capsys.readouterr()
    tally(2)
    assert capsys.readouterr().out == "✅ All 2 exercises with a check are right.\n"
    with pytest.raises(WrongAnswer):
        run_cell("first", "check(5, 4)")
    tally(2)
    assert capsys.readouterr().out.startswith("1 of 2")


def test_whose_version():
    assert whose(" Ann ") == "This version is for Ann."
    assert "write your name behind student = in the parameter cell" in whose("  ")
