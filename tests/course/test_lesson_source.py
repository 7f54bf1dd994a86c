"""Answers are found between their marks, and loose ends are refused."""

import jupytext
import pytest
from small_source import NAME, SOURCE

from ivdlib.course import lesson_source
from ivdlib.errors import ConfigError


def test_an_answer_stands_between_its_marks():
    text = "a\n  ### BEGIN SOLUTION\n  b = 1\n  ### END SOLUTION\nc"
    assert lesson_source.split(text, "here") == (["a"], ["  b = 1"], ["c"], "  ")


@pytest.mark.parametrize(
    "text",
    ["a", "### BEGIN SOLUTION", "### END SOLUTION\n### BEGIN SOLUTION", "# BEGIN SOLUTION\n"],
)
def test_marks_that_are_not_one_pair_are_refused(text):
    with pytest.raises(ConfigError, match="here: put its answer between one line"):
        lesson_source.split(text, "here")


def test_parts_of_a_source_belong_to_its_exercises():
    cells = jupytext.reads(SOURCE, fmt="py:percent").cells
    parts = lesson_source.exercises(cells, NAME)
    assert parts and all("exercise" in str(part) for part in parts.values())
    assert 0 not in parts and set(parts) < set(range(len(cells)))


def test_a_lesson_between_two_others_has_names_of_its_own():
    cells = jupytext.reads(SOURCE, fmt="py:percent").cells
    idents = {part.grade_id for part in lesson_source.exercises(cells, "01b_small").values()}
    assert {"lesson01b_exercise1_test", "lesson01b_exercise3_written"} < idents


def test_a_check_that_overwrites_an_answer_is_refused():
    """A right answer was wrong the second time: the check of the next exercise had its name."""
    test = "exercises.check(answer"
    cells = jupytext.reads(SOURCE.replace(test, f"answer = 1\n{test}", 1), fmt="py:percent").cells
    with pytest.raises(ConfigError, match="assigns answer, which is an answer; give it another"):
        lesson_source.exercises(cells, NAME)
