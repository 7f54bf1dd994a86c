"""A student's function at work in the place of the library's: counted, never mistaken for it."""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from ivdlib import provenance
from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own import catalogue, checked


class Counted:
    """A function that counts its calls."""

    def __init__(self, function: Callable) -> None:
        self.function, self.calls = function, 0
        functools.update_wrapper(self, function)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call it, and count."""
        self.calls += 1
        return self.function(*arguments, **named)


def passed(function: Any, name: str = "") -> bool:
    """Whether this very function has passed its check in this kernel, so that it is used.

    Parameters
    ----------
    function : callable or None
    name : str, optional
        Of the task; default the function's own.
    """
    task = catalogue.task(name or getattr(function, "__name__", "") or "")
    return function is not None and checked.PASSED.get(task.name) is function


def yours(function: Any, name: str = "") -> Callable:
    """The student's function if it has passed its check, else the library's, and says which.

    Parameters
    ----------
    function : callable or None
    name : str, optional
        Of the task; default the function's own.
    """
    task = catalogue.task(name or getattr(function, "__name__", "") or "")
    if passed(function, task.name):
        return function
    print(f"{task.name} has not passed its check yet, so the library's is used here.")
    return task.right


@contextmanager
def plugged(*functions: Any, names: tuple[str, ...] = ()) -> Iterator[dict[str, Counted]]:
    """Let students' functions do the work of the library's within the block.

    One that has not passed its check is left out, and that is said. Trainings within the block have
    hashes of their own, so that no stored result passes for theirs.

    Parameters
    ----------
    *functions : callable or None
    names : tuple of str, optional
        Of their tasks; default the functions' own.

    Yields
    ------
    dict of str to Counted
        What works, by name, with the number of its calls: the student's, or else the library's.

    Raises
    ------
    WrongAnswer
        If the block never called one of them: then its result is not the student's.
    """
    names = names or tuple(getattr(function, "__name__", "") for function in functions)
    at_work: dict[str, Counted] = {}
    with ExitStack() as stack:
        for name, function in zip(names, functions, strict=True):
            task = catalogue.task(name)
            at_work[name] = Counted(yours(function, name))
            if at_work[name].function is not function:
                continue
            for seam in task.seams:
                module, _, attribute = seam.partition(":")
                place = importlib.import_module(module)
                stack.enter_context(mock.patch.object(place, attribute, task.adapt(at_work[name])))
            stack.enter_context(mock.patch.dict(provenance.REPLACED, {name: _digest(function)}))
        yield at_work
    for function, (name, counted) in zip(functions, at_work.items(), strict=True):
        if counted.function is not function:
            continue
        if not counted.calls:
            raise WrongAnswer(f"❌ your {name} was not called, so this result is not yours.")
        times = f"{counted.calls} time{'s' * (counted.calls != 1)}"
        print(f"Your {name} worked {times} in the place of the library's.")


def _digest(function: Callable) -> str:
    """Hash of a function's text; of its code if the text is not to be had."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        text = f"{code.co_code!r} {code.co_consts!r} {code.co_names!r}" if code else repr(function)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
