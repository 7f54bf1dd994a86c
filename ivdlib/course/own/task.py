"""What a function that students write shall do, and what they get wrong."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arguments = tuple[Any, ...]


def _call(function: Callable, arguments: Arguments) -> Any:
    return function(*arguments)


def _nothing(arguments: Arguments, found: Any) -> dict[str, np.ndarray]:
    return {}


@dataclass(frozen=True)
class Task:
    """A function that students write, and how it is judged.

    Attributes
    ----------
    name : str
        The function's.
    right : callable
        The function as it should be. It stays out of what students see.
    inputs : callable
        Gets a random generator (each student has one of their own) and gives the arguments of each
        call, the smallest first.
    mistakes : mapping of str to callable
        Catalogued wrong functions, by the sentence that a student reads who has made the mistake.
    rules : mapping of str to callable
        What must hold of every result, by the sentence that is read where it does not. Each gets
        the arguments and the result and gives a truth value.
    by_rules : bool
        Many results are right: whatever keeps all rules. Otherwise a result must equal that of
        `right`.
    hints : tuple of str
        A smaller one, then a larger one: told after the second and the third wrong try.
    tolerance : float
        Largest difference, as a share of the largest magnitude of what is right.
    call : callable
        Gets a function and arguments, gives the result: for what is no plain call.
    picture : callable
        Gets arguments and a result, gives slices (AP, SI) by title, or a slice and its truth;
        nothing: no picture.
    seams : tuple of str
        Where the library has this function, as ``module:name``; all places that hold it.
    adapt : callable
        Makes of the student's function one with the signature that the library has there.
    """

    name: str
    right: Callable
    inputs: Callable[[np.random.Generator], Sequence[Arguments]]
    mistakes: Mapping[str, Callable] = field(default_factory=dict)
    rules: Mapping[str, Callable[[Arguments, Any], bool]] = field(default_factory=dict)
    by_rules: bool = False
    hints: tuple[str, str] = ("", "")
    tolerance: float = 1e-4
    call: Callable[[Callable, Arguments], Any] = _call
    picture: Callable[[Arguments, Any], Mapping[str, Any]] = _nothing
    seams: tuple[str, ...] = ()
    adapt: Callable[[Callable], Callable] = lambda function: function

    def result(self, function: Callable, arguments: Arguments) -> tuple[Any, bool]:
        """What a function gives for these arguments, and whether it left them as they were."""
        given = copy.deepcopy(arguments)
        with warnings.catch_warnings():  # for nbgrader, a warning in a check is a failure
            warnings.simplefilter("ignore")
            found = plain(self.call(function, given))
        return found, same(plain(given), plain(arguments), 0.0)

    def accepts(self, arguments: Arguments, found: Any, right: Any) -> bool:
        """Whether a result is right; `right` is what the function as it should be gives."""
        if self.by_rules:
            return all(holds(rule, arguments, found) for rule in self.rules.values())
        return same(found, right, self.tolerance)


def holds(rule: Callable[[Arguments, Any], bool], arguments: Arguments, found: Any) -> bool:
    """Whether a result keeps a rule; what is no result at all breaks it."""
    try:
        return bool(rule(arguments, found))
    except Exception:  # of whatever kind the result is
        return False


def plain(value: Any) -> Any:
    """A result in values of NumPy and Python: tensors become arrays, tuples and texts lists."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.ndarray | np.str_) and value.dtype.kind == "U":
        return value.tolist()
    if value is None or isinstance(value, str | bool | int | float | set | frozenset | np.ndarray):
        return value
    try:
        array = np.asarray(value)
    except Exception:  # of whatever class the value is
        return value
    return value if array.dtype == object else array


def same(first: Any, second: Any, tolerance: float) -> bool:
    """Whether two results are equal, numbers within a share of the largest of the second."""
    if isinstance(second, dict):
        return (
            isinstance(first, dict)
            and first.keys() == second.keys()
            and all(same(first[key], second[key], tolerance) for key in second)
        )
    ragged = isinstance(second, list) and not _is_numbers(second)
    if ragged:
        return (
            isinstance(first, list)
            and len(first) == len(second)
            and all(same(a, b, tolerance) for a, b in zip(first, second, strict=True))
        )
    if isinstance(second, str | set | frozenset) or second is None:
        return type(first) is type(second) and first == second
    if not _is_numbers(first) or not _is_numbers(second):
        return False
    ours, theirs = np.asarray(second), np.asarray(first)
    if ours.shape != theirs.shape or (ours.dtype.kind == "b") != (theirs.dtype.kind == "b"):
        return False
    ours, theirs = ours.astype(float), theirs.astype(float)
    scale = np.abs(ours[np.isfinite(ours)]).max(initial=0.0)
    return np.allclose(theirs, ours, rtol=0, atol=tolerance * scale + 1e-12, equal_nan=True)


def _is_numbers(value: Any) -> bool:
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except ValueError:
        return False
