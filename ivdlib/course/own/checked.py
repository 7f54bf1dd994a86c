"""Check a student's function: right, or its mistake by name, or the smallest input that shows it.

What is expected is never given away for the input that was asked for. After two wrong tries an
example says what is right for another one.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from ivdlib.course import exercises
from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own import catalogue, pictures
from ivdlib.course.own.task import Arguments, Task, holds, plain, same
from ivdlib.course.own.words import result_in_words, words, written_out

TRIES: Counter[str] = Counter()
"""Wrong tries of each function in this kernel."""

PASSED: dict[str, Callable] = {}
"""The function that passed last, by name."""


class _NotWritten(WrongAnswer):
    """Nothing was given back: no try."""


def check(function: Any, *, name: str = "", student: str = "") -> None:
    """Try a student's function on several small inputs: a ✅ line and a picture, or a sentence.

    Parameters
    ----------
    function : callable or None
        `None` stands for "not written yet".
    name : str, optional
        Of the task; default the function's own.
    student : str, optional
        Whose inputs: each name has others, the same on every machine.

    Raises
    ------
    WrongAnswer
        If it is missing or wrong: what is wrong with it, without what is right.
    ConfigError
        If there is no task of this name.
    """
    task = catalogue.task(name or getattr(function, "__name__", "") or "")
    cell = exercises.calling_cell()
    exercises.RIGHT[cell] = False
    PASSED.pop(task.name, None)
    if not callable(function):
        raise WrongAnswer(f"❌ {task.name} is not a function (yet): write it with def.")
    inputs = task.inputs(np.random.default_rng(exercises.seed(student)))
    try:
        found = [_result(task, function, arguments) for arguments in inputs]
        _compare(task, inputs, found)
    except WrongAnswer as wrong:
        TRIES[task.name] += not isinstance(wrong, _NotWritten)
        raise WrongAnswer(f"❌ {str(wrong).rstrip('.')}.{_help(task)}") from None
    PASSED[task.name], exercises.RIGHT[cell] = function, True
    pictures.show(task, inputs[-1], found[-1])
    print(f"✅ {task.name} is right on {len(inputs)} input{'s' * (len(inputs) != 1)}")


def _result(task: Task, function: Callable, arguments: Arguments) -> Any:
    """What the student's function gives, or `WrongAnswer`: it stopped, gave nothing, wrote over."""
    called = f"{task.name}({', '.join(map(words, arguments))})"
    try:
        found, untouched = task.result(function, arguments)
    except WrongAnswer:
        raise
    except Exception as error:  # whatever a student's code may raise
        said = (str(error).strip().splitlines() or [""])[0][:160].rstrip(".")
        where = _line_of(function, error)
        raise WrongAnswer(f"{called} stops with {type(error).__name__}: {said}{where}") from None
    if found is None:
        raise _NotWritten(
            f"{called} gives nothing: write its lines in place of # YOUR CODE HERE, and let it "
            "end with return"
        )
    if not untouched:
        raise WrongAnswer(
            f"{task.name} changes what it was given, and the next step would use that: make "
            "new arrays, e.g. with a + b instead of a += b"
        )
    return found


def _line_of(function: Callable, error: Exception) -> str:
    """The line of the student's function at which it stopped; nothing if that is not known."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_name == "<lambda>":
        return ""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if (frame.filename, frame.name) == (code.co_filename, code.co_name) and frame.line:
            return f'; that is your line "{frame.line}"'
    return ""


def _compare(task: Task, inputs: Any, found: list[Any]) -> None:
    """Raise what is wrong: a mistake that is known, else a rule that is broken, else where."""
    right = [task.result(task.right, arguments)[0] for arguments in inputs]
    accepted = map(task.accepts, inputs, found, right)
    wrong = [n for n, is_right in enumerate(accepted) if not is_right]
    if not wrong:
        return
    for sentence, mistaken in task.mistakes.items():
        if all(map(_agrees(task, mistaken), inputs, found)):
            raise WrongAnswer(sentence)
    for n in wrong:
        called = f"{task.name}({', '.join(map(words, inputs[n]))})"
        if told := result_in_words(found[n], right[n]):
            raise WrongAnswer(f"{called}: {told}")
        for sentence, rule in task.rules.items():
            if not holds(rule, inputs[n], found[n]):
                raise WrongAnswer(f"{called} gives {words(found[n])}: {sentence}")
    called = f"{task.name}({', '.join(map(words, inputs[wrong[0]]))})"
    rest = f"; {len(wrong)} of {len(found)} inputs are wrong" if len(found) > 1 else ""
    raise WrongAnswer(f"{called} gives {words(found[wrong[0]])}, which is not right{rest}")


def _agrees(task: Task, mistaken: Callable) -> Callable[[Arguments, Any], bool]:
    """Whether a wrong function gives what the student's gave."""

    def agrees(arguments: Arguments, found: Any) -> bool:
        try:
            return same(found, task.result(mistaken, arguments)[0], task.tolerance)
        except Exception:  # a wrong function may stop where the student's does not
            return False

    return agrees


def _help(task: Task) -> str:
    """Hints, from the second wrong try on; an example with what is right, from the third."""
    tries, told = TRIES[task.name], ""
    if tries > 1 and task.hints[0]:
        told += f"\nHint: {task.hints[0]}"
    if tries > 2:
        if task.hints[1]:
            told += f"\nAnother hint: {task.hints[1]}"
        told += _example(task)
    return told


def _example(task: Task) -> str:
    """The first case that can be written out whole; nothing if none can."""
    for arguments in task.inputs(np.random.default_rng(0)):
        right = plain(task.result(task.right, arguments)[0])
        if all(map(written_out, (*arguments, right))):
            called = f"{task.name}({', '.join(map(words, arguments))})"
            return f"\nAn example: {called} {'may be' if task.by_rules else 'is'} {words(right)}"
    return ""
