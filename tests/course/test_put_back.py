"""Checks that a student deleted come back."""

import pytest
from small_course import ONE, WHOLE, cells, without

pytestmark = pytest.mark.usefixtures("quick")


def test_a_check_that_nbgrader_put_back_counts(course):
    course.write("submitted", "ann", ONE, without("exercise1_test"))
    course.write("autograded", "ann", ONE, cells())
    assert course.row("ann") == WHOLE
    assert "missing from the copy, nbgrader put it back" in course.page("ann")
