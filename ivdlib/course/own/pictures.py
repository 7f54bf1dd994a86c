"""What a student's function makes of an input, as a picture beside what was expected."""

from __future__ import annotations

from typing import Any

from ivdlib.course.own.task import Arguments, Task

SPACING = (1.0, 1.0, 1.0)


def show(task: Task, arguments: Arguments, found: Any) -> None:
    """Draw the input, what was expected and what was found; nothing where a task has no picture."""
    yours = task.picture(arguments, found)
    if not yours:
        return
    from ivdlib.report import plotting  # matplotlib takes its time, and most tasks have no picture

    expected = task.picture(arguments, task.result(task.right, arguments)[0])
    given = {title: plane for title, plane in yours.items() if title not in RESULTS}
    panels = given | {"expected": expected["result"], "yours": yours["result"]}
    pairs = {title: shown for title, shown in panels.items() if isinstance(shown, tuple)}
    planes = panels | {title: plane for title, (plane, _) in pairs.items()}
    truths = {title: {"truth": truth} for title, (_, truth) in pairs.items()}
    alt = f"Input of {task.name}, what was expected of it, and what your function gives."
    # made-up arrays, no scans: nothing in them is anterior or superior
    plotting.show(plotting.contrast_grid(planes, SPACING, truths, letters=False), alt)


RESULTS = ("result",)
"""Titles under which `Task.picture` gives what was made of the input."""
