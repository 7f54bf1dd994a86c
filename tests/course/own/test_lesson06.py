"""A student's `measure` gives columns of the table of discs."""

import numpy as np
import pandas as pd
import pytest

from ivdlib.course import own
from ivdlib.course.own import checked, lesson06
from ivdlib.evaluation.measurements import measure as of_library

SPACING = (2.0, 1.25, 1.5)


@pytest.fixture
def labels():
    """Two discs, one of them at the edge of the scan."""
    found = np.zeros((9, 30, 24), np.uint8)
    found[2:7, 5:25, 3:8] = 1
    found[0:6, 6:24, 14:19] = 2
    return found


def measure(mask, spacing):
    """As a student may write it, from the library's own check of right answers."""
    return lesson06.measure(mask, spacing)


def test_its_numbers_stand_in_the_table(labels, monkeypatch):
    monkeypatch.setattr(checked, "PASSED", {"measure": measure})
    expected = of_library(labels, SPACING)
    with own.plugged(measure) as at_work:
        rows = of_library(labels, SPACING)
    assert at_work["measure"].calls == 2
    pd.testing.assert_frame_equal(pd.DataFrame(rows), pd.DataFrame(expected))
    assert [row["cut"] for row in rows] == [False, True]


def test_columns_come_from_the_student_and_no_others(labels, monkeypatch):
    def odd(mask, spacing):
        return {"volume_ml": 1.0, "width_mm": 2.0, "cut": True, "height_middle_mm": 0.0}

    monkeypatch.setattr(checked, "PASSED", {"measure": odd})
    with own.plugged(odd, names=("measure",)):
        row = of_library(labels, SPACING)[0]
    assert (row["volume_ml"], row["width_mm"], row["cut"]) == (1.0, 2.0, True)
    assert row["height_middle_mm"] > 0
