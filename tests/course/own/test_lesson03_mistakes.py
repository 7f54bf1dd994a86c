"""Wrong modules are wrong in one thing each, told apart by what they compute or learn."""

import pytest

from ivdlib.course.own import catalogue, lesson03_mistakes


@pytest.mark.parametrize(
    ("name", "mistakes"),
    [("separable", "SEPARABLE"), ("xception_module", "XCEPTION_MODULE")],
)
def test_the_tasks_have_them_all(name, mistakes):
    assert catalogue.task(name).mistakes == getattr(lesson03_mistakes, mistakes)
