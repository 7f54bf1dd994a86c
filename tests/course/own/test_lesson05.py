"""A student's `sign_flip` gives the p of comparisons, with equal sums equal."""

import itertools

import numpy as np
import pandas as pd
import pytest

from ivdlib.course import own
from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own import checked, lesson05
from ivdlib.evaluation import statistics


def sign_flip(differences):
    """As a student may write it, without a thought of rounding."""
    found, count = abs(np.sum(differences)), 0
    for signs in itertools.product([1, -1], repeat=len(differences)):
        count += abs(np.sum(np.array(signs) * differences)) >= found
    return count / 2 ** len(differences)


@pytest.fixture
def checked_one(monkeypatch):
    """The student's function, checked in a kernel of its own."""
    monkeypatch.setattr(checked, "TRIES", type(checked.TRIES)())
    monkeypatch.setattr(checked, "PASSED", {})
    own.check(sign_flip)
    return sign_flip


@pytest.mark.parametrize("values", [[0.1, 0.2, -0.3], [0.1, 0.2, 0.3, -0.6, 0.7], [0.0] * 4])
def test_it_gives_the_p_of_a_comparison(checked_one, values):
    """In floats 0.1 + 0.2 is not 0.3, and yet such sums count as equal."""
    people = pd.Series(values, index=[*"abcdef"[: len(values)]])
    expected = statistics.compare(people, 0 * people).p
    with own.plugged(checked_one) as at_work:
        assert statistics.compare(people, 0 * people).p == pytest.approx(expected)
    assert at_work["sign_flip"].calls == 1


@pytest.mark.parametrize("n", [1, statistics.EXACT_UP_TO + 1])
def test_the_library_works_if_there_are_too_few_patients_or_too_many(checked_one, n):
    values = np.random.default_rng(0).normal(size=n)
    expected = statistics.sign_flip(values)
    with pytest.raises(WrongAnswer, match="was not called"), own.plugged(checked_one):
        found = statistics.sign_flip(values)
    assert found == pytest.approx(expected, nan_ok=True)


def test_random_signs_break_a_rule(monkeypatch):
    monkeypatch.setattr(checked, "TRIES", type(checked.TRIES)())

    def drawn(differences):
        signs = np.random.default_rng(1).choice([1, -1], (999, len(differences)))
        return np.mean(np.abs(signs @ differences) >= abs(np.sum(differences)) - 1e-9)

    with pytest.raises(WrongAnswer, match="draw none at random"):
        own.check(drawn, name="sign_flip")


def test_what_is_right_agrees_with_the_library():
    values = np.random.default_rng(2).normal(0.3, 1, 7)
    assert lesson05.sign_flip(values) == pytest.approx(statistics.sign_flip(values))
