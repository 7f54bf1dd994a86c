"""The picture of what a student's function made of an input."""

import numpy as np

from ivdlib.course.own import pictures
from ivdlib.course.own.task import Task
from ivdlib.report import plotting


def turned(**more):
    return Task("turn", right=np.flipud, inputs=lambda rng: [(np.eye(4),)], **more)


def test_a_task_without_a_picture_shows_none(monkeypatch):
    monkeypatch.setattr(plotting, "show", None)
    pictures.show(turned(), (np.eye(4),), np.eye(4))


def test_input_expected_and_found_stand_side_by_side(monkeypatch):
    drawn = []
    monkeypatch.setattr(plotting, "contrast_grid", lambda planes, spacing: drawn.append(planes))
    monkeypatch.setattr(plotting, "show", lambda figure, alt: drawn.append(alt))
    task = turned(picture=lambda arguments, found: {"image": arguments[0], "result": found})
    pictures.show(task, (np.eye(4),), np.zeros((4, 4)))
    planes, alt = drawn
    assert list(planes) == ["image", "expected", "yours"]
    assert np.array_equal(planes["expected"], np.flipud(np.eye(4))) and not planes["yours"].any()
    assert alt.startswith("Input of turn")
