"""Rates of a student: any sequence will do, and each fault has its own sentence."""

import numpy as np
import pytest

from ivdlib.course import exercises
from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own.rates import check_rates


@pytest.mark.parametrize(
    "answer", [(1, 2, 3), [1, 3, 3], np.array([1, 2, 3]), (3, 2, 1), (1.0, 2, 3)]
)
def test_what_is_right_passes(answer, capsys):
    check_rates(answer)
    assert "is right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "not answered yet"),
        ("1, 2, 3", "whole numbers in brackets, such as (1, 1, 1), not '1, 2, 3'"),
        (5, "whole numbers in brackets"),
        ((1, 2.5, 3), "whole numbers in brackets"),
        ((1, None, 3), "whole numbers in brackets"),
        ([[1, 2], [3]], "whole numbers in brackets"),
        ([], "whole numbers in brackets"),
        ((1, -2, 3), "a rate is 1 or more"),
        ((1, 2), "3 rates are asked for, and you give 2"),
        ((1, 2, 5), "none of the rates may be above 3"),
        ((1, 1, 3), "they begin with 1, but reach only 11 pixels, not 13"),
        ((2, 1, 2), "they reach only 11 pixels"),
        ((2, 2, 2), "13 pixels wide, but 6 of them are holes"),
    ],
)
def test_what_is_wrong_is_named(answer, told):
    with pytest.raises(WrongAnswer) as caught:
        check_rates(answer)
    assert told in str(caught.value) and str(caught.value).startswith("❌")


def test_it_counts_in_the_tally(capsys):
    check_rates((1, 2, 3))
    exercises.tally(1)
    with pytest.raises(WrongAnswer):
        check_rates((2, 2, 2))
    exercises.tally(1)
    said = capsys.readouterr().out.splitlines()[1:]
    assert [line[0] for line in said] == ["✅", "0"]
