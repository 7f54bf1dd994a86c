"""Rows of measured values in words."""

import numpy as np

from ivdlib.phantom.calibration import rows


def test_rows_of_values_tell_how_many_and_from_where_to_where():
    row = dict(
        zip(rows.COLUMNS, rows.each("t", "s", [1.0, 2.5, np.nan], (-1, 2), " mm"), strict=True)
    )
    assert row["wanted"] == "each −1.0 to 2.0 mm"
    assert (row["measured"], row["n"], row["met"]) == ("1 of 2 (1.0 to 2.5)", 2, False)
    row = dict(zip(rows.COLUMNS, rows.average("t", "s", [1.0, 2.5], (1, np.inf)), strict=True))
    assert row["wanted"] == "mean 1.00 or more"
    assert (row["measured"], row["met"]) == ("1.75 (1.00 to 2.50)", True)
    row = dict(zip(rows.COLUMNS, rows.average("t", "s", [np.nan], (1, 2)), strict=True))
    assert (row["measured"], row["n"], row["met"]) == ("not in these files", 0, None)
