"""What a lesson says about itself."""

import nbformat
import pytest
from bindery import heads

from ivdlib.errors import ConfigError
from ivdlib.report.lesson_names import lessons_in


def test_a_head_is_read(lesson):
    head = heads.head_of(lesson, "of bones")
    goals, title = ("name a bone", "count to two"), "Bones: what is hard"
    assert head == heads.Head("07_bones", "07", title, goals, "01, 02", 70, "of bones")


def test_a_head_without_minutes_is_told(lesson):
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells[0].source = notebook.cells[0].source.replace("70 minutes", "a while")
    nbformat.write(notebook, lesson)
    with pytest.raises(ConfigError, match="head of 07_bones.ipynb lacks .* minutes of study"):
        heads.head_of(lesson, "")


def test_a_lesson_that_the_readme_does_not_know_is_told(lesson):
    with pytest.raises(ConfigError, match="table of lessons lacks 07_bones; add a line"):
        heads.heads([lesson])


def test_every_lesson_has_a_head_and_a_line():
    found = heads.heads(lessons_in(heads.ROOT / "notebooks"))
    assert len(found) >= 8
    assert all(head.line and head.goals and 10 <= head.minutes <= 75 for head in found)
