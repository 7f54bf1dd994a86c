"""All functions that students write, by name; a module for each lesson."""

from __future__ import annotations

import importlib

from ivdlib.course.own.task import Task
from ivdlib.errors import ConfigError

LESSONS = {
    "fuse": "lesson01",
    "patient_folds": "lesson01_folds",
    "logistic_step": "lesson01b",
    "dice": "lesson02",
    "convolve": "lesson02",
    "separable": "lesson03",
    "xception_module": "lesson03",
    "augment": "lesson04_augment",
    "train": "lesson04_train",
    "splice": "lesson04_splice",
    "sign_flip": "lesson05",
    "measure": "lesson06",
}
"""The module that has a task, named after its lesson; loaded when it is asked for."""


def task(name: str) -> Task:
    """The task of a function.

    Raises
    ------
    ConfigError
        If no lesson asks for a function of this name.
    """
    if name not in LESSONS:
        raise ConfigError(
            f"no lesson asks for a function {name or 'without a name'}; say which one you mean, "
            f"check(function, name=…), of {', '.join(LESSONS)}."
        )
    module = importlib.import_module(f"ivdlib.course.own.{LESSONS[name]}")
    return module.TASKS[name]
