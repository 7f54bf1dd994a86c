"""Lesson 05: `sign_flip`, which gives the p of a comparison over patients.

`right` is written in another way than the solution in the lesson.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from ivdlib.course.own.task import Arguments, Task
from ivdlib.evaluation import statistics


def _sums(differences: np.ndarray) -> np.ndarray:
    """The sum of the differences for each choice of their signs: 2 ** n values."""
    sums = np.zeros(1)
    for value in np.asarray(differences, float):
        sums = np.concatenate([sums + value, sums - value])
    return sums


def sign_flip(differences: np.ndarray) -> float:
    """Share of all choices of signs whose mean is at least as far from zero as the one found."""
    return _share(np.abs(_sums(differences)), abs(float(np.sum(differences))))


def _share(sums: np.ndarray, found: float) -> float:
    return float(np.mean(sums >= found - 1e-9))


def _whole(share: float, differences: np.ndarray) -> float:
    """The number of choices that a share of them is."""
    return float(round(share * 2 ** len(differences)))


def _mixed(rng: np.random.Generator, n: int, more: int) -> np.ndarray:
    """Differences of both signs; whole 256ths, so that sums which are equal on paper are equal."""
    sizes = rng.permutation(np.arange(1, n + 1) + rng.integers(0, 3, n)) / 256
    signs = np.where(np.arange(n) < more, 1.0, -1.0)
    return sizes * rng.permutation(signs)


def _inputs(rng: np.random.Generator) -> list[Arguments]:
    clear = rng.integers(2, 9, 2) / 256
    clear[1] += 1 / 256 * (clear[0] == clear[1])
    nearly_even = (np.arange(8, 0, -1) * 2 + rng.integers(0, 2, 8)) * np.tile([1, -1], 4)
    return [
        (clear,),
        (-np.abs(_mixed(rng, 3, 3)),),
        (_mixed(rng, 5, 4),),
        (-np.abs(_mixed(rng, 6, 6)) + np.where(np.arange(6) == 0, 1 / 32, 0),),
        (rng.permutation(nearly_even) / 256,),
    ]


def _among_others(count: Callable[[float], float], of: Callable[[int], int]) -> Callable:
    """A wrong p: another number of choices as uneven, or of choices in all."""

    def mistaken(differences: np.ndarray) -> float:
        found = _whole(sign_flip(differences), differences)
        return count(found) / of(2 ** len(differences))

    return mistaken


def _as_the_library_has_it(function: Callable) -> Callable:
    """A student's function on any patients: whole numbers, so that equal sums are equal."""

    def adapted(differences: np.ndarray) -> float:
        values = np.asarray(differences, float)
        if not 2 <= len(values) <= statistics.EXACT_UP_TO:
            return THE_LIBRARYS(values)
        largest = np.abs(values).max() or 1.0
        # A power of ten, so that values of few digits stay what they are: 0.1 + 0.2 is 0.3.
        return float(function(np.round(values * 10.0 ** (9 - np.floor(np.log10(largest))))))

    return adapted


THE_LIBRARYS = statistics.sign_flip
"""Kept here: within `plugged` the student's stands in its place."""

SIGN_FLIP = Task(
    name="sign_flip",
    right=sign_flip,
    inputs=_inputs,
    mistakes={
        "you count one side only: a mean equally far from zero on the other side counts too, so "
        "compare absolute values": lambda differences: _share(
            _sums(differences), abs(float(np.sum(differences)))
        ),
        "you compare the means with their signs: what counts is how far each is from zero, on "
        "either side": lambda differences: _share(_sums(differences), float(np.sum(differences))),
        "you took the absolute value of all means but not of the observed one, which may be below "
        "zero": lambda differences: _share(np.abs(_sums(differences)), float(np.sum(differences))),
        "you count only means that are farther from zero than the observed one; those just as far "
        "count too, and the observed signs are one of the choices": (
            lambda differences: float(
                np.mean(np.abs(_sums(differences)) > abs(np.sum(differences)) + 1e-9)
            )
        ),
        "you left out the observed signs: they are one of the choices, and p is never "
        "zero": _among_others(lambda count: count - 1, lambda choices: choices),
        "you left out the observed signs in both numbers, the choices that count and all choices: "
        "they are one of the choices, and p is never zero": _among_others(
            lambda count: count - 1, lambda choices: choices - 1
        ),
        "you added one to both numbers: that is for signs drawn at random; all choices already "
        "include the observed signs": _among_others(
            lambda count: count + 1, lambda choices: choices + 1
        ),
        "that is a number of choices: p is their share, so divide by the number of all choices": (
            _among_others(lambda count: count, lambda choices: 1)
        ),
        "that is the share of the choices closer to zero; p is the share of those at least as far "
        "from zero": lambda differences: 1 - sign_flip(differences),
        "you take each difference or leave it out, 1 or 0: flip its sign instead, 1 or -1": (
            lambda differences: _share(
                np.abs(_sums(differences) + np.sum(differences)) / 2, abs(np.sum(differences))
            )
        ),
        "that is the t-test, which assumes a bell curve: go through the choices of signs "
        "instead": lambda differences: stats.ttest_1samp(differences, 0.0).pvalue,
        "you count how many patients are better but not by how much: that is the sign test; flip "
        "the signs of the differences themselves": lambda differences: sign_flip(
            np.sign(differences)
        ),
    },
    rules={
        "p should be a share, from 0 to 1": lambda arguments, found: 0 <= found <= 1,
        "with n differences there are 2**n choices of signs, so p is a whole number of them, "
        "divided by 2**n: go through each choice once, and draw none at random": (
            lambda arguments, found: (
                abs(found * 2 ** len(arguments[0]) - round(found * 2 ** len(arguments[0]))) < 1e-6
            )
        ),
        "the observed signs and their opposites are equally far from zero, so p is never below 2 "
        "/ 2**n": lambda arguments, found: found >= 2 / 2 ** len(arguments[0]) - 1e-9,
    },
    hints=(
        "itertools.product([1, -1], repeat=n) gives all choices of n signs, one after the other.",
        "for each choice take the mean of signs * differences, and compare its absolute value "
        "with that of the observed mean; count those at least as large (allow 1e-12 for rounding).",
    ),
    seams=("ivdlib.evaluation.statistics:sign_flip",),
    adapt=_as_the_library_has_it,
)

TASKS = {SIGN_FLIP.name: SIGN_FLIP}
