"""What a student reads whose function is wrong in a way that nobody has catalogued."""

import numpy as np
import pytest

from ivdlib.course import own
from ivdlib.evaluation import metrics

FIRST = "dice([[1, 1, 0, 0, 0]], [[0, 1, 1, 0, 0]])"


def squared(a, b):
    """A wrong Dice that breaks no rule."""
    return metrics.dice(a, b) ** 2


def test_a_function_that_stops_is_told_with_what_it_got(said):
    told = said(lambda a, b: 1 / 0)
    assert told == f"❌ {FIRST} stops with ZeroDivisionError: division by zero."


def test_the_line_at_which_it_stops_is_told(said):
    def dice(a, b):
        return np.zeros(2) + np.zeros(3)

    assert said(dice).endswith('; that is your line "return np.zeros(2) + np.zeros(3)".')


def test_what_is_not_written_yet_is_no_try(said):
    for _ in range(3):
        assert "Hint" not in said(lambda a, b: None)
    assert "Hint" not in said(squared)
    assert "Hint" in said(squared)


def test_a_function_with_other_arguments(said):
    assert "stops with TypeError" in said(lambda a: 1.0)


def test_a_function_that_writes_into_what_it_gets(said):
    def dice(a, b):
        a &= b
        return metrics.dice(a, b)

    assert "dice changes what it was given" in said(dice)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda a, b: a & b, "the result should be a number, and is an array of shape (1, 5)"),
        (lambda a, b: "0.5", "return a number, not a str"),
        (lambda a, b: 2.0, "gives 2: Dice should lie between 0 and 1"),
        (lambda a, b: 0.25, "gives 0.25: masks that share nothing should score 0"),
        (squared, "gives 0.25, which is not right; 3 of 6 inputs are wrong"),
    ],
)
def test_other_faults(function, sentence, said):
    assert sentence in said(function)


def test_a_wrong_try_never_tells_what_is_right(said):
    for _ in range(4):
        told = said(squared).splitlines()[0]
        assert told.startswith(f"❌ {FIRST} gives 0.25") and "0.5" not in told


def test_hints_come_one_after_the_other(said):
    told = [said(squared) for _ in range(3)]
    assert "int: " not in told[0] and "example" not in told[1]
    assert "\nHint: " in told[1] and "Another hint" not in told[1]
    assert "\nAnother hint: " in told[2] and "\nAn example: dice(" in told[2]


def test_a_picture_stands_beside_what_was_expected(monkeypatch):
    from ivdlib.report import plotting

    shown = []
    monkeypatch.setattr(plotting, "show", lambda figure, alt: shown.append((figure, alt)))
    from ivdlib.course.own import lesson02

    own.check(lesson02.convolve)
    ((figure, alt),) = shown
    assert [axes.get_title() for axes in figure.axes if axes.get_title()][:3] == [
        "image", "expected", "yours",
    ]  # fmt: skip
    assert "convolve" in alt


def test_numbers_of_any_library_count():
    keras = pytest.importorskip("keras")
    own.check(lambda a, b: keras.ops.convert_to_tensor(metrics.dice(a, b), "float64"), name="dice")
    own.check(lambda a, b: np.float64(metrics.dice(a, b)), name="dice")
