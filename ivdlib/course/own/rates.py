"""Lesson 03: whether dilation rates that a student found reach far and leave no hole."""

from __future__ import annotations

from typing import Any

import numpy as np

from ivdlib.course import exercises
from ivdlib.course.exercises import WrongAnswer
from ivdlib.report import diagrams


def check_rates(answer: Any, *, number: int = 3, highest: int = 3, least: int = 13) -> None:
    """Say whether the rates of convolutions one after the other are what was asked for.

    Parameters
    ----------
    answer : sequence of int, or array
        A student's; `None` stands for "not answered yet".
    number : int
        Rates that there should be.
    highest : int
        None of them may be above it.
    least : int
        Pixels that they should see, or more, without a hole.

    Raises
    ------
    WrongAnswer
        What is wrong with them: kind, number, size, reach or holes.
    """
    cell = exercises.calling_cell()
    exercises.RIGHT[cell] = False
    if answer is None:
        raise WrongAnswer("❌ not answered yet: write it in place of # YOUR CODE HERE.")
    rates = _whole_numbers(answer)
    if rates is None:
        raise WrongAnswer(
            f"❌ give {number} whole numbers in brackets, such as (1, 1, 1), not "
            f"{str(answer)[:60]!r}."
        )
    shown = f"{tuple(rates)}"
    if len(rates) != number:
        raise WrongAnswer(f"❌ {shown}: {number} rates are asked for, and you give {len(rates)}.")
    if min(rates) < 1:
        raise WrongAnswer(f"❌ {shown}: a rate is 1 or more; 1 is a plain convolution.")
    if max(rates) > highest:
        raise WrongAnswer(f"❌ {shown}: none of the rates may be above {highest}.")
    ways = diagrams.coverage(rates)
    holes = int((ways == 0).sum())
    begins = "they begin with 1, but" if rates[0] == 1 else "they"
    if len(ways) < least:
        raise WrongAnswer(f"❌ {shown}: {begins} reach only {len(ways)} pixels, not {least}.")
    if holes:
        raise WrongAnswer(
            f"❌ {shown}: {len(ways)} pixels wide, but {holes} of them are holes: look at "
            "diagrams.coverage(rates), zeros are never seen."
        )
    exercises.RIGHT[cell] = True
    print(f"✅ {shown} is right: {len(ways)} pixels wide, and no hole")


def _whole_numbers(answer: Any) -> list[int] | None:
    """The answer as a flat list of whole numbers; None if it is no such thing."""
    if isinstance(answer, str | bytes | dict):
        return None
    try:
        array = np.asarray(list(answer))
    except (TypeError, ValueError):
        return None
    if array.ndim != 1 or array.dtype.kind not in "iuf" or not array.size:
        return None
    whole = np.isfinite(array).all() and (array == np.round(array)).all()
    return [int(rate) for rate in array] if whole else None
