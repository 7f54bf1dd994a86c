"""Checks of the exercises: ✅, or one sentence that says what was expected and what came."""

from __future__ import annotations

import hashlib
import sys
import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np

_TOLERANCE = 0.002
"""How far a number with a fraction may be from the expected one, as a share of the latter."""

_WHOLE = 1e-4
"""How far a number may be from a whole one that is asked for: 40 / 2.4999999 is 16."""

_FEW = 8
"""Numbers of an array that are written out."""

RIGHT: dict[str, bool] = {}
"""Whether the check in a cell was content when it last ran in this kernel, by the cell."""

_WORDS = {"b": "truth value", "i": "number", "u": "number", "f": "number", "U": "text"}


class WrongAnswer(AssertionError):
    """An answer that is missing or wrong.

    A notebook shows its one sentence instead of a traceback. It is an exception all the same: a
    cell that ends with one gets no points from nbgrader.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it."""
        return [str(self)]


def check(
    answer: Any,
    expected: Any,
    *,
    tolerance: float | None = None,
    hint: str = "",
    mistakes: Mapping[str, Any] | None = None,
) -> None:
    """Compare an answer with what was expected: print a ✅ line, or raise.

    The sentence of a wrong answer does not give the right one away.

    Parameters
    ----------
    answer : number, bool, str, set or array-like
        What the student gave. `None` stands for "not answered yet". Text is compared without regard
        to capitals and blanks around it; where a set is expected, a list will do.
    expected : number, bool, str, set or array-like
        Shape and kind of elements count too: a mask is not an array of numbers.
    tolerance : float, optional
        Largest difference, as a share of the expected number (in an array: of its largest
        magnitude). Default: none for whole numbers, `_TOLERANCE` for others.
    hint : str, optional
        Added to the sentence of a wrong answer that is no known mistake.
    mistakes : mapping of str to answers, optional
        What a known mistake gives, by the sentence that names the mistake. An answer that comes
        nearer to one of them than to the right one is taken for it.

    Raises
    ------
    WrongAnswer
        An `AssertionError`, where the answer is missing or wrong.
    TypeError
        If `expected` is something that cannot be compared here, such as a dict.

    Examples
    --------
    >>> check(0.2501, 0.25)
    ✅ 0.2501 is right
    """
    cell = calling_cell()
    RIGHT[cell] = False
    expected_kind = _kind(expected)
    if expected_kind.startswith("a value of type"):
        raise TypeError(f"check compares numbers, text, sets and arrays, not {expected_kind}.")
    if isinstance(expected, set | frozenset):
        answer = _as_set(answer)
    fault = _fault(answer, expected, expected_kind, tolerance)
    if named := _mistake(answer, expected, mistakes or {}, tolerance, bool(fault)):
        raise WrongAnswer(f"❌ {_show(answer)}: {named}".rstrip(".") + ".")
    if fault:
        told = f"; hint: {hint}" if hint and answer is not None else ""
        raise WrongAnswer(f"❌ {fault}{told}".rstrip(".") + ".")
    RIGHT[cell] = True
    print(f"✅ {_show(answer)} is right")


def calling_cell() -> str:
    """The cell whose check is being run: what calls the function that calls this one."""
    return sys._getframe(2).f_code.co_filename


def tally(number: int) -> None:
    """Say how many exercises of a lesson are right, as their checks found when they last ran.

    Parameters
    ----------
    number : int
        Exercises of the lesson that have a check.
    """
    right = sum(RIGHT.values())
    if right >= number:
        print(f"✅ All {number} exercises with a check are right.")
    else:
        print(f"{right} of {number} exercises with a check are right so far.")


def whose(student: str) -> str:
    """Whose version of an exercise it is, in a sentence; how to get one's own if it is nobody's.

    Parameters
    ----------
    student : str
        As `seed` takes it.

    Examples
    --------
    >>> whose("Ann")
    'This version is for Ann.'
    """
    if name := student.strip():
        return f"This version is for {name}."
    return (
        "This version is for everybody who gives no name. For one of your own, write your name "
        "behind student = in the parameter cell near the top, and run the lesson again from there."
    )


def seed(student: str) -> int:
    """Seed for `student`'s own version of an exercise: the same on every machine, every day.

    Parameters
    ----------
    student : str
        A name or number; capitals and blanks around it do not count.

    Returns
    -------
    int
        From 0 to 2³² − 1, as NumPy and Keras take it.

    Examples
    --------
    >>> seed("Ann") == seed(" ann ")
    True
    """
    name = unicodedata.normalize("NFKC", student).strip().casefold()
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def _as_set(answer: Any) -> Any:
    """The answer as a set where it is a collection of things that a set can hold."""
    if answer is None or isinstance(answer, str):
        return answer
    try:
        return set(answer)
    except TypeError:
        return answer


def _kind(value: Any) -> str:
    """What a value is, in words; values of different kinds are never equal."""
    if isinstance(value, set | frozenset):
        return "a set"
    try:
        array = np.asarray(value)
    except ValueError:  # a list of lists of different lengths
        array = np.empty((), dtype=object)
    word = _WORDS.get(array.dtype.kind)
    if array.dtype.kind == "O" and array.ndim and all(isinstance(v, str) for v in array.flat):
        word = "text"  # a pandas column
    if word is None:
        return f"a value of type {type(value).__name__}"
    if array.ndim:
        return f"an array of shape {array.shape} that holds {word}{'' if word == 'text' else 's'}"
    return word if word == "text" else f"a {word}"


def _fault(answer: Any, expected: Any, expected_kind: str, tolerance: float | None) -> str:
    """What is wrong with the answer; nothing where it is right."""
    if answer is None:
        return "not answered yet: write it in place of # YOUR CODE HERE"
    kind, shown = _kind(answer), _show(answer)
    if kind != expected_kind:
        return f"expected {expected_kind}, got {kind}{'' if shown == kind else f' ({shown})'}"
    if expected_kind == "a set":
        lacking, odd = len(expected - answer), answer - expected
        sides = {f"lacks {lacking} more": lacking, f"must not hold {_listed(odd)}": odd}
        told = " and ".join(word for word, side in sides.items() if side)
        return f"yours {told}" if told else ""
    ours, theirs = np.asarray(expected), np.asarray(answer)
    if ours.dtype.kind in "iu" and theirs.dtype.kind == "f":
        whole = np.round(theirs)
        if not np.isclose(theirs, whole, rtol=0, atol=_WHOLE).all():
            return f"{shown} is no whole number, and a whole number is asked for"
        theirs = whole
    wrong = _differ(ours, theirs, tolerance)
    if not wrong.any():
        return ""
    if not wrong.ndim:
        return f"{shown} {_too_short(ours, answer) or f'is {_how_wrong(ours, theirs)}'}"
    place = tuple(int(n) for n in np.argwhere(wrong)[0])
    return (
        f"{int(wrong.sum())} of {wrong.size} values are not right, the first at {list(place)}: "
        f"{_show(theirs[place])} is {_how_wrong(ours[place], theirs[place])}"
    )


def _how_wrong(expected: np.ndarray, answer: np.ndarray) -> str:
    """In which direction an answer is wrong."""
    if np.asarray(expected).dtype.kind not in "iuf" or not np.isfinite([expected, answer]).all():
        return "not right"
    return "too small" if answer < expected else "too large"


def _too_short(expected: np.ndarray, answer: Any) -> str:
    """Whether a number is right as far as it goes: cut off or rounded to too few decimals."""
    if not isinstance(answer, float) or "e" in str(answer):
        return ""
    last = 10.0 ** -len(str(answer).partition(".")[2])
    below = float(expected) - float(answer)
    return "has too few decimals" if -last / 2 < below * (1 - 1e-9) < last and last < 1 else ""


def _mistake(
    answer: Any,
    expected: Any,
    mistakes: Mapping[str, Any],
    tolerance: float | None,
    is_wrong: bool,
) -> str:
    """The sentence of the mistake that gives this answer; nothing if none does."""
    for sentence, value in mistakes.items():
        if _fault(answer, value, _kind(value), tolerance):
            continue
        if is_wrong or _distance(answer, value) < _distance(answer, expected):
            return sentence
    return ""


def _distance(answer: Any, value: Any) -> float:
    """How far two answers lie apart; 0 for what is no number."""
    try:
        return float(np.abs(np.asarray(answer, float) - np.asarray(value, float)).max())
    except (TypeError, ValueError):
        return 0.0


def _differ(expected: np.ndarray, answer: np.ndarray, tolerance: float | None) -> np.ndarray:
    """Where two arrays of one shape and kind differ."""
    if expected.dtype.kind in "UO":
        plain = np.vectorize(lambda text: text.strip().casefold(), otypes=[object])
        return np.asarray(plain(expected) != plain(answer), dtype=bool)
    if expected.dtype.kind == "b":
        return expected != answer
    if tolerance is None:
        tolerance = _TOLERANCE if expected.dtype.kind == "f" else 0.0
    ours, theirs = expected.astype(float), answer.astype(float)
    scale = np.abs(ours[np.isfinite(ours)]).max(initial=0.0)
    # The little that is added forgives rounding where zero is expected.
    return ~np.isclose(theirs, ours, rtol=0, atol=tolerance * scale + 1e-12, equal_nan=True)


def _show(value: Any) -> str:
    """A value for a sentence."""
    if isinstance(value, set | frozenset):
        return f"{{{_listed(value)}}}"
    if isinstance(value, str):
        return repr(str(value))
    if getattr(value, "shape", None) == ():  # a number in an array, or in a tensor
        value = np.asarray(value).item()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int):
        return str(value)
    kind = _kind(value)
    if kind.endswith("that holds numbers") and np.asarray(value).size <= _FEW:
        return np.array2string(np.asarray(value), precision=4, separator=", ").replace("\n", "")
    return kind


def _listed(values: set | frozenset) -> str:
    return ", ".join(sorted(map(_show, values)))
