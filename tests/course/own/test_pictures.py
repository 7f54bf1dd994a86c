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
    draw = plotting.contrast_grid
    monkeypatch.setattr(
        plotting, "contrast_grid", lambda planes, *more, **how: drawn.append(planes)
        or draw(planes, *more, **how)
    )  # fmt: skip
    monkeypatch.setattr(plotting, "show", lambda figure, alt: drawn.extend([figure, alt]))
    task = turned(picture=lambda arguments, found: {"image": arguments[0], "result": found})
    pictures.show(task, (np.eye(4),), np.zeros((4, 4)))
    planes, figure, alt = drawn
    assert list(planes) == ["image", "expected", "yours"]
    assert np.array_equal(planes["expected"], np.flipud(np.eye(4))) and not planes["yours"].any()
    assert alt.startswith("Input of turn")
    assert not any(axes.texts for axes in figure.axes)  # no scan: no letters A, P, S, I


def test_the_truth_of_a_tile_has_its_colour(monkeypatch):
    drawn = []
    monkeypatch.setattr(plotting, "show", lambda figure, alt: drawn.append(figure))
    pair = np.eye(4), np.eye(4) > 0
    pictures.show(turned(picture=lambda arguments, found: {"result": pair}), pair[:1], pair[0])
    (line,) = drawn[0].legends[0].legend_handles
    assert (line.get_label(), line.get_color()) == ("truth", plotting.ORANGE)
