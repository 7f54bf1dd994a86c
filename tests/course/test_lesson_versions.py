"""Readers, nbgrader and students get one lesson in three versions."""

import pytest
from small_source import NAME, SOURCE

from ivdlib.course import lesson_versions


@pytest.fixture
def source(tmp_path):
    path = tmp_path / f"{NAME}.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_students_see_no_answer_and_readers_do(source):
    lesson, students = (lesson_versions.render_lesson(source, v) for v in ("lesson", "student"))
    assert "as_numbers.sum()" in lesson and "as_numbers.sum()" not in students
    assert "BEGIN SOLUTION" not in lesson
    assert "How many voxels has the mask?" in lesson
    assert "How many voxels has the mask?" in students


def test_a_source_without_tasks_has_no_exercises(source):
    assert lesson_versions.has_exercises(source)
    source.write_text("# %% [markdown]\n# # 01 · Small\n", encoding="utf-8")
    assert not lesson_versions.has_exercises(source)
